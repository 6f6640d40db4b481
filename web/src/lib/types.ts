// The names under which the client knows the API's shapes, whoever wrote them down.
import type { components } from './api-types';

type Schemas = components['schemas'];
export type CreateSpace = Schemas['CreateSpace'];
export type Person = Schemas['Person'];
export type Replay = Schemas['Replay'];
export type Space = Schemas['Space'];
export type Seat = Schemas['Seat'];
export type Seats = Schemas['Seats'];
export type Waveform = Schemas['Waveform'];
export type Clip = Schemas['Clip'];
export type Session = Schemas['Session'];

/** The body of POST …/commands: what a person can tell a Space to do. */
export type Command =
  | { do: 'ask' | 'accept'; recording_consent?: boolean }
  | {
      do:
        | 'start'
        | 'end'
        | 'cancel'
        | 'panic'
        | 'unask'
        | 'decline'
        | 'step_down'
        | 'unmute'
        | 'mute_all'
        | 'lock'
        | 'unlock'
        | 'unpin';
    }
  | {
      do:
        | 'uninvite'
        | 'let_up'
        | 'mute'
        | 'remove'
        | 'let_back'
        | 'make_co_host'
        | 'unmake_co_host'
        | 'hand_over';
      account: string;
    }
  | { do: 'invite'; account: string; role: 'speaker' | 'co_host' | 'listener' }
  | { do: 'pin'; post: string }
  | { do: 'edit'; title?: string; topics?: string[] };
