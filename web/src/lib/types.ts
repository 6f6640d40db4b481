// The names under which the client knows the API's shapes, whoever wrote them down.
import type { components } from './api-types';

type Schemas = components['schemas'];
export type CreateSpace = Schemas['CreateSpace'];
export type Join = Schemas['Join'];
export type PublishingToken = Schemas['PublishingToken'];
export type Person = Schemas['Person'];
export type Replay = Schemas['Replay'];
export type Space = Schemas['Space'];
export type Redaction = Schemas['Redaction'];
export type RedactReason = Schemas['RedactReason'];
export type Seat = Schemas['Seat'];
/** The document shows a stretch of speech as an object; it is sent as an array, [seat, from_ms, to_ms]. */
export type Seats = Omit<Schemas['Seats'], 'speech'> & { speech: [number, number, number][] };
export type Proof = Schemas['Proof'];
export type Waveform = Schemas['Waveform'];
export type Clip = Schemas['Clip'];
export type Session = Schemas['Session'];
export type Moderated = Schemas['Moderated'];
export type WaitingAppeal = Schemas['WaitingAppeal'];
export type OwnStanding = Schemas['OwnStanding'];
export type Sanction = Schemas['OwnSanction'];
export type OwnInvite = Schemas['OwnInvite'];
export type OwnInvites = Schemas['OwnInvites'];
export type OpenInvite = Schemas['OpenInvite'];
export type InviteTree = Schemas['InviteTree'];
export type Returning = Schemas['Returning'];

/** The body of POST …/commands: what a person can tell a Space to do. */
export type Command = Schemas[
  | 'Accept'
  | 'Ask'
  | 'Cancel'
  | 'Decline'
  | 'Edit'
  | 'End'
  | 'HandOver'
  | 'Invite'
  | 'LetBack'
  | 'LetSpeak'
  | 'LetUp'
  | 'Lock'
  | 'MakeCoHost'
  | 'Mute'
  | 'MuteAll'
  | 'Panic'
  | 'Pin'
  | 'Remove'
  | 'Start'
  | 'StepDown'
  | 'Unask'
  | 'Uninvite'
  | 'Unlock'
  | 'UnmakeCoHost'
  | 'Unmute'
  | 'Unpin'];
