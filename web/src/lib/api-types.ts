// Made by `make types`.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    /** Accept */
    Accept: {
      /** @default false */
      recording_consent: boolean;
      /** @constant */
      do: 'accept';
    };
    /** Account */
    Account: {
      id: string;
      username: string;
      acct: string;
      display_name: string;
      locked: boolean;
      bot: boolean;
      discoverable: boolean;
      indexable: boolean;
      group: boolean;
      created_at: string;
      note: string;
      url: string;
      uri: string;
      avatar: string;
      avatar_static: string;
      header: string;
      header_static: string;
      followers_count: number;
      following_count: number;
      statuses_count: number;
      last_status_at: string | null;
      /** @default false */
      hide_collections: boolean;
      emojis?: components['schemas']['CustomEmoji'][];
      fields?: components['schemas']['Field'][];
      roles?: components['schemas']['surfaces_mastodon_entities_Role'][];
    };
    /** Appeal */
    Appeal: {
      text: string;
      made_at: string;
      state: string;
      answer: string;
      decided_at: string | null;
    };
    /** Ask */
    Ask: {
      /** @default false */
      recording_consent: boolean;
      /** @constant */
      do: 'ask';
    };
    /** AskDeletion */
    AskDeletion: {
      password: string;
      code?: string | null;
      passkey?: {
        [key: string]: unknown;
      } | null;
    };
    /** AskReset */
    AskReset: {
      email: string;
    };
    /**
     * Audience
     * @description Who may see and hear the Space, live and afterwards.
     * @default public
     * @enum {string}
     */
    Audience: 'public' | 'followed' | 'invited';
    /** Brought */
    Brought: {
      account: components['schemas']['Account'];
      standing: string;
      joined_at: string;
    };
    /**
     * ByRole
     * @description As what somebody took something out.
     * @enum {string}
     */
    ByRole: 'host' | 'co_host' | 'moderator' | 'speaker' | 'operator';
    /** Cancel */
    Cancel: {
      /** @constant */
      do: 'cancel';
    };
    /** ChangeEmail */
    ChangeEmail: {
      email: string;
      password: string;
    };
    /** ChangePassword */
    ChangePassword: {
      current: string;
      new: string;
    };
    /** Clip */
    Clip: {
      id: string;
      media_id: string;
      space_id: string;
      start_ms: number;
      end_ms: number;
      url: string;
      page_url: string;
    };
    /** Code */
    Code: {
      code: string;
    };
    /** ConfirmEmail */
    ConfirmEmail: {
      secret: string;
    };
    /** Consent */
    Consent: {
      recording_consent: boolean;
      /** @constant */
      do: 'consent';
    };
    /** ConsentTakenBack */
    ConsentTakenBack: {
      ranges: [number, number][];
    };
    /** CreateClip */
    CreateClip: {
      space: string;
      start_ms: number;
      end_ms: number;
    };
    /** CreateSpace */
    CreateSpace: {
      title: string;
      topics?: string[];
      language?: string | null;
      scheduled_at?: string | null;
      audience?: components['schemas']['Audience'];
      speak_policy?: components['schemas']['SpeakPolicy'];
      recorded?: boolean | null;
      invited?: string[];
      /** @default false */
      start: boolean;
    };
    /** CustomEmoji */
    CustomEmoji: {
      shortcode: string;
      url: string;
      static_url: string;
      /** @default true */
      visible_in_picker: boolean;
      category?: string;
    };
    /** Deactivate */
    Deactivate: {
      password: string;
    };
    /** DecideAppeal */
    DecideAppeal: {
      granted: boolean;
      answer: string;
    };
    /** DecideSpace */
    DecideSpace: {
      /** @enum {string} */
      type: 'remove' | 'mute';
      reason: string;
      until?: string | null;
    };
    /** Decline */
    Decline: {
      /** @constant */
      do: 'decline';
    };
    /** Edit */
    Edit: {
      title?: string | null;
      topics?: string[] | null;
      /** @constant */
      do: 'edit';
    };
    /** End */
    End: {
      /** @constant */
      do: 'end';
    };
    /**
     * EndReason
     * @enum {string}
     */
    EndReason:
      | 'host_ended'
      | 'panic'
      | 'host_absent'
      | 'stopped'
      | 'tape_lost'
      | 'stood_still'
      | 'host_suspended'
      | 'removed';
    /** Ended */
    Ended: {
      ended: number;
    };
    /** Field */
    Field: {
      name: string;
      value: string;
      verified_at?: string | null;
    };
    /** GiveRole */
    GiveRole: {
      role: components['schemas']['gate_model_Role'];
    };
    /** HandOver */
    HandOver: {
      /** @description An id: digits in a string. */
      account: string;
      /** @constant */
      do: 'hand_over';
    };
    /** IceServer */
    IceServer: {
      urls: string[];
      username?: string | null;
      credential?: string | null;
    };
    /** Invite */
    Invite: {
      /** @description An id: digits in a string. */
      account: string;
      /**
       * @default speaker
       * @enum {string}
       */
      role: 'speaker' | 'co_host' | 'listener';
      /** @constant */
      do: 'invite';
    };
    /** InviteTree */
    InviteTree: {
      above: components['schemas']['Brought'][];
      below: components['schemas']['Brought'][];
      invites: components['schemas']['OwnInvite'][];
    };
    /** Join */
    Join: {
      ticket: string | null;
      listen_url: string;
      hls_url: string;
      ice_servers: components['schemas']['IceServer'][];
    };
    /** LetBack */
    LetBack: {
      /** @description An id: digits in a string. */
      account: string;
      /** @constant */
      do: 'let_back';
    };
    /** LetSpeak */
    LetSpeak: {
      /** @description An id: digits in a string. */
      account: string;
      /** @constant */
      do: 'let_speak';
    };
    /** LetUp */
    LetUp: {
      /** @description An id: digits in a string. */
      account: string;
      /** @constant */
      do: 'let_up';
    };
    /** LiftSpace */
    LiftSpace: {
      /** @enum {null|string} */
      standing?: 'removed' | 'muted' | null;
    };
    /** Lock */
    Lock: {
      /** @constant */
      do: 'lock';
    };
    /** LostFactors */
    LostFactors: {
      secret: string;
      username: string;
      password: string;
    };
    /** MadeLink */
    MadeLink: {
      url: string;
    };
    /** MadePasskey */
    MadePasskey: {
      passkey: components['schemas']['OwnPasskey'];
      recovery_codes: string[];
    };
    /** MakeAppeal */
    MakeAppeal: {
      sanction: string;
      text: string;
    };
    /** MakeCoHost */
    MakeCoHost: {
      /** @description An id: digits in a string. */
      account: string;
      /** @constant */
      do: 'make_co_host';
    };
    /** MakeInvite */
    MakeInvite: {
      /** @default 1 */
      uses: number;
      /** @default 604800 */
      expires_in: number;
    };
    /** MakeLink */
    MakeLink: {
      /** @enum {string} */
      kind: 'password' | 'email' | 'second_factor';
    };
    /** Moderated */
    Moderated: {
      id: string;
      title: string;
      url: string;
      standing: string;
      reason: string;
      until: string | null;
      sanctions: components['schemas']['Sanction'][];
    };
    /** Mute */
    Mute: {
      /** @description An id: digits in a string. */
      account: string;
      seconds?: number | null;
      /** @constant */
      do: 'mute';
    };
    /** MuteAll */
    MuteAll: {
      /** @constant */
      do: 'mute_all';
    };
    /** Name */
    Name: {
      name: string;
    };
    /** NewPasskey */
    NewPasskey: {
      passkey: {
        [key: string]: unknown;
      };
      /** @default  */
      name: string;
    };
    /** NewTotp */
    NewTotp: {
      secret: string;
      url: string;
      qr: string;
    };
    /** Notice */
    Notice: {
      kind: components['schemas']['NoticeKind'];
      sentence: string;
      at: string;
      until?: string | null;
    };
    /**
     * NoticeKind
     * @description Why everybody in a Space is told something.
     * @enum {string}
     */
    NoticeKind: 'host_suspended' | 'host_gone' | 'muted';
    /** OpenInvite */
    OpenInvite: {
      by: components['schemas']['Account'] | null;
      expires_at: string;
    };
    /** OwnDeletion */
    OwnDeletion: {
      asked_at: string | null;
      due_at: string | null;
    };
    /** OwnEmail */
    OwnEmail: {
      address: string | null;
      confirmed: boolean;
      pending: string | null;
    };
    /** OwnFactors */
    OwnFactors: {
      totp: boolean;
      passkeys: components['schemas']['OwnPasskey'][];
      recovery_codes_left: number;
      required: boolean;
    };
    /** OwnInvite */
    OwnInvite: {
      id: string;
      url: string | null;
      uses_max: number;
      uses: number;
      created_at: string;
      expires_at: string;
      revoked: boolean;
      open: boolean;
    };
    /** OwnInvites */
    OwnInvites: {
      can_invite: boolean;
      invites: components['schemas']['OwnInvite'][];
    };
    /** OwnPasskey */
    OwnPasskey: {
      id: string;
      name: string;
      created_at: string;
      last_used: string | null;
      alone: boolean;
    };
    /** OwnSanction */
    OwnSanction: {
      id: string;
      kind: string;
      about: string;
      standing: string;
      reason: string;
      until: string | null;
      decided_at: string;
      can_appeal: boolean;
      appeal: components['schemas']['Appeal'] | null;
    };
    /** OwnSession */
    OwnSession: {
      id: string;
      kind: string;
      name: string;
      scopes: string[];
      created_at: string;
      last_used: string | null;
      expires_at: string | null;
      current: boolean;
    };
    /** OwnStanding */
    OwnStanding: {
      standing: string;
      until: string | null;
      sanctions: components['schemas']['OwnSanction'][];
    };
    /** Panic */
    Panic: {
      /** @constant */
      do: 'panic';
    };
    /** PasskeyAnswer */
    PasskeyAnswer: {
      passkey: {
        [key: string]: unknown;
      };
    };
    /** Password */
    Password: {
      password: string;
    };
    /** Person */
    Person: {
      account: components['schemas']['Account'] | null;
      role: components['schemas']['spaces_model_Role'];
      seat: number | null;
      muted: boolean;
      connected: boolean;
      asking_since: string | null;
      muted_until: string | null;
    };
    /** Pin */
    Pin: {
      /** @description An id: digits in a string. */
      post: string;
      /** @constant */
      do: 'pin';
    };
    /** Proof */
    Proof: {
      verifier_key: string;
      checkpoint: string;
      parts: number;
      ended: boolean;
      replay_to_ms: number | null;
      first: number;
      leaves: string;
      before: string[];
      after: string[];
      replaced: components['schemas']['ReplacedPart'][];
    };
    /** PublishingToken */
    PublishingToken: {
      url: string;
      token: string;
    };
    /** Reaction */
    Reaction: {
      emoji: string;
    };
    /**
     * Reason
     * @description Why something was taken out. The public is told this, and no words of anybody.
     * @enum {string}
     */
    Reason: 'private_information' | 'unlawful' | 'other' | 'consent_withdrawn';
    /**
     * RecordingState
     * @description What becomes of the sound of a Space now.
     * @enum {string}
     */
    RecordingState: 'off' | 'recording' | 'disk_full';
    /** RecoveryCodes */
    RecoveryCodes: {
      recovery_codes: string[];
    };
    /** Redact */
    Redact: {
      from_ms: number;
      to_ms: number;
      reason: components['schemas']['RedactReason'];
    };
    /**
     * RedactReason
     * @description What hosts and moderators can say; `consent_withdrawn` is for who spoke to say.
     * @enum {string}
     */
    RedactReason: 'private_information' | 'unlawful' | 'other';
    /** Redaction */
    Redaction: {
      id: string;
      from_ms: number;
      to_ms: number;
      kind: components['schemas']['Reason'];
      sentence: string;
      by_role: components['schemas']['ByRole'];
      at: string;
    };
    /** Remove */
    Remove: {
      /** @description An id: digits in a string. */
      account: string;
      seconds?: number | null;
      /** @constant */
      do: 'remove';
    };
    /** RemoveClip */
    RemoveClip: {
      reason: string;
    };
    /** ReplacedPart */
    ReplacedPart: {
      number: number;
      redaction: string;
      reason: string;
      at_unix_ms: number;
      frames_sha256: string;
    };
    /** Replay */
    Replay: {
      duration_ms: number;
      start_ms: number;
      end_ms: number;
      download_url: string;
      waveform_url: string;
      hls_url: string;
    };
    /** Returning */
    Returning: {
      account: components['schemas']['Account'] | null;
      removed: components['schemas']['Account'] | null;
      listens: boolean;
    };
    /** Sanction */
    Sanction: {
      id: string;
      standing: string;
      reason: string;
      until: string | null;
      decided_by: string | null;
      decided_at: string;
      lifted_by: string | null;
      lifted_at: string | null;
    };
    /** Seat */
    Seat: {
      seat: number;
      account: components['schemas']['Account'] | null;
      sanctioned: boolean;
    };
    /** Seats */
    Seats: {
      roster: number;
      seats: components['schemas']['Seat'][];
      speech: components['schemas']['Speech'][];
    };
    /** SecondFactor */
    SecondFactor: {
      ticket: string;
      code?: string | null;
      passkey?: {
        [key: string]: unknown;
      } | null;
    };
    /** SecondFactorNeeded */
    SecondFactorNeeded: {
      ticket: string;
      methods: string[];
      passkey?: {
        [key: string]: unknown;
      } | null;
    };
    /** Session */
    Session: {
      account: components['schemas']['Account'] | null;
      username: string | null;
      role: string | null;
      standing: string | null;
      reason: string;
      site: components['schemas']['SessionSite'];
      second_factor?: components['schemas']['SecondFactorNeeded'] | null;
    };
    /** SessionSite */
    SessionSite: {
      title: string;
      registrations: string;
      source_url: string;
      version: string;
      base_url: string;
      mail: boolean;
    };
    /** SetPassword */
    SetPassword: {
      secret: string;
      new: string;
    };
    /** SignIn */
    SignIn: {
      username: string;
      password: string;
    };
    /** SignUp */
    SignUp: {
      username: string;
      password: string;
      email?: string | null;
      /** @default  */
      reason: string;
      owner_secret?: string | null;
      invite?: string | null;
    };
    /** Space */
    Space: {
      id: string;
      url: string;
      title: string;
      topics: string[];
      language: string | null;
      state: components['schemas']['SpaceState'];
      audience: components['schemas']['Audience'];
      speak_policy: components['schemas']['SpeakPolicy'];
      recorded: boolean;
      recording_state: components['schemas']['RecordingState'];
      locked: boolean;
      creator_id: string;
      host: components['schemas']['Account'];
      host_ids: string[];
      speaker_ids: string[];
      invited_ids: string[];
      participant_count: number;
      listener_count: number;
      listener_count_estimated: number;
      stage: components['schemas']['Person'][];
      asking: components['schemas']['Person'][];
      roster: number;
      reactions: {
        [key: string]: number;
      };
      created_at: string;
      scheduled_at: string | null;
      started_at: string | null;
      ended_at: string | null;
      ended_reason: components['schemas']['EndReason'] | null;
      hold_until: string | null;
      announcement_id: string | null;
      pinned_post_id: string | null;
      listen_url: string;
      hls_url: string;
      replay: components['schemas']['Replay'] | null;
      notices: components['schemas']['Notice'][];
      redactions: components['schemas']['Redaction'][];
      you: components['schemas']['You'];
    };
    /**
     * SpaceState
     * @enum {string}
     */
    SpaceState: 'scheduled' | 'live' | 'ended' | 'cancelled';
    /**
     * SpeakPolicy
     * @description Who may ask to speak. Whoever was invited by name may speak under each of them.
     * @default everyone
     * @enum {string}
     */
    SpeakPolicy: 'everyone' | 'followed' | 'invited';
    /** Speech */
    Speech: {
      seat: number;
      from_ms: number;
      to_ms: number;
    };
    /** Start */
    Start: {
      /** @constant */
      do: 'start';
    };
    /** StepDown */
    StepDown: {
      /** @constant */
      do: 'step_down';
    };
    /** TrimReplay */
    TrimReplay: {
      start_ms?: number | null;
      end_ms?: number | null;
    };
    /** Unask */
    Unask: {
      /** @constant */
      do: 'unask';
    };
    /** Uninvite */
    Uninvite: {
      /** @description An id: digits in a string. */
      account: string;
      /** @constant */
      do: 'uninvite';
    };
    /** Unlock */
    Unlock: {
      /** @constant */
      do: 'unlock';
    };
    /** UnmakeCoHost */
    UnmakeCoHost: {
      /** @description An id: digits in a string. */
      account: string;
      /** @constant */
      do: 'unmake_co_host';
    };
    /** Unmute */
    Unmute: {
      /** @constant */
      do: 'unmute';
    };
    /** Unpin */
    Unpin: {
      /** @constant */
      do: 'unpin';
    };
    /** WaitingAppeal */
    WaitingAppeal: {
      id: string;
      kind: string;
      about: string;
      account: string;
      username: string;
      standing: string;
      reason: string;
      decided_at: string;
      until: string | null;
      text: string;
      made_at: string;
      can_decide: boolean;
    };
    /** Waveform */
    Waveform: {
      step_ms: number;
      start_ms: number;
      peaks: number[];
    };
    /** You */
    You: {
      role: components['schemas']['spaces_model_Role'];
      seat: number | null;
      muted: boolean;
      asking: boolean;
      invited_as: components['schemas']['spaces_model_Role'] | null;
      removed: boolean;
      consented: boolean;
      can: string[];
      may_redact: boolean;
      muted_until: string | null;
      removed_until: string | null;
      has_spoken: boolean;
      call_key: string | null;
    };
    /**
     * Role
     * @enum {string}
     */
    gate_model_Role: 'member' | 'moderator' | 'owner';
    /**
     * Role
     * @enum {string}
     */
    spaces_model_Role: 'host' | 'co_host' | 'speaker' | 'listener';
    /** Role */
    surfaces_mastodon_entities_Role: {
      id: string;
      name: string;
      /** @default  */
      color: string;
    };
    /** @description A sentence for people, and a word for programs that stays the same. */
    Error: {
      error: string;
      code?: string;
      error_description?: string;
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
