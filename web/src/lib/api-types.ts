// The JSON of the Spaces API and the session, in the form that `npm run types` generates from the server's OpenAPI
// document. Everything else imports these names through ./types.ts.
import type { Account } from './mastodon-types';

type SpaceState = 'scheduled' | 'live' | 'ended' | 'cancelled';
type Audience = 'public' | 'followed' | 'invited';
type SpeakPolicy = 'everyone' | 'followed' | 'invited';
type Role = 'host' | 'co_host' | 'speaker' | 'listener';
type EndReason = 'host_ended' | 'panic' | 'host_absent' | 'stopped';

export interface components {
  schemas: {
    CreateSpace: {
      title: string;
      topics?: string[];
      language?: string | null;
      scheduled_at?: string | null;
      audience?: Audience;
      speak_policy?: SpeakPolicy;
      recorded?: boolean | null;
      invited?: string[];
      start?: boolean;
    };
    Person: {
      account: Account | null;
      role: Role;
      seat: number | null;
      muted: boolean;
      connected: boolean;
      asking_since: string | null;
    };
    Replay: {
      duration_ms: number;
      start_ms: number;
      download_url: string;
      waveform_url: string;
      hls_url: string;
    };
    You: {
      role: Role;
      seat: number | null;
      muted: boolean;
      asking: boolean;
      invited_as: Role | null;
      removed: boolean;
      consented: boolean;
      can: string[];
    };
    Space: {
      id: string;
      url: string;
      title: string;
      topics: string[];
      language: string | null;
      state: SpaceState;
      audience: Audience;
      speak_policy: SpeakPolicy;
      recorded: boolean;
      locked: boolean;
      creator_id: string;
      host: Account;
      host_ids: string[];
      speaker_ids: string[];
      invited_ids: string[];
      participant_count: number;
      listener_count: number;
      stage: components['schemas']['Person'][];
      asking: components['schemas']['Person'][];
      roster: number;
      created_at: string;
      scheduled_at: string | null;
      started_at: string | null;
      ended_at: string | null;
      ended_reason: EndReason | null;
      hold_until: string | null;
      announcement_id: string | null;
      pinned_post_id: string | null;
      listen_url: string;
      hls_url: string;
      replay: components['schemas']['Replay'] | null;
      you: components['schemas']['You'];
    };
    Seat: { seat: number; account: Account | null; sanctioned: boolean };
    Seats: {
      roster: number;
      seats: components['schemas']['Seat'][];
      speech: [number, number, number][];
    };
    Waveform: { step_ms: number; start_ms: number; peaks: number[] };
    Clip: {
      id: string;
      media_id: string;
      space_id: string;
      start_ms: number;
      end_ms: number;
      url: string;
      page_url: string;
    };
    SessionSite: {
      title: string;
      registrations: string;
      source_url: string;
      version: string;
      base_url: string;
    };
    Session: {
      account: Account | null;
      username: string | null;
      role: string | null;
      standing: string | null;
      reason: string;
      site: components['schemas']['SessionSite'];
    };
  };
}
