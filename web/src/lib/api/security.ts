// What keeps an account one's own: address, password, second factors, sessions; and leaving.
import type { components } from '../api-types';
import { get, sendJson } from './client';

type Schemas = components['schemas'];
export type OwnEmail = Schemas['OwnEmail'];
export type OwnFactors = Schemas['OwnFactors'];
export type OwnPasskey = Schemas['OwnPasskey'];
export type OwnSession = Schemas['OwnSession'];
export type OwnDeletion = Schemas['OwnDeletion'];
export type NewTotp = Schemas['NewTotp'];
export type SecondFactorNeeded = Schemas['SecondFactorNeeded'];

const API = '/api/folkmoot/v1';
const FACTOR = `${API}/second-factor`;

export const getEmail = () => get<OwnEmail>(`${API}/email`);
export const changeEmail = (email: string, password: string) =>
  sendJson<OwnEmail>('POST', `${API}/email`, { email, password });
export const sendLetterAgain = () => sendJson('POST', `${API}/email/letters`);
export const confirmEmail = (secret: string) => sendJson('POST', `${API}/email-link`, { secret });
export const askReset = (email: string) => sendJson('POST', `${API}/password-reset`, { email });

export const getSessions = () => get<OwnSession[]>(`${API}/sessions`);
export const endSession = (id: string) => sendJson('DELETE', `${API}/sessions/${id}`);
export const endOtherSessions = () => sendJson<{ ended: number }>('DELETE', `${API}/sessions`);

export const getFactors = () => get<OwnFactors>(FACTOR);
export const beginCodes = (password: string) => sendJson<NewTotp>('POST', `${FACTOR}/totp`, { password });
export const confirmCodes = (code: string) =>
  sendJson<{ recovery_codes: string[] }>('POST', `${FACTOR}/totp/confirm`, { code });
export const removeCodes = (password: string) => sendJson('POST', `${FACTOR}/totp/remove`, { password });
export const newRecoveryCodes = (password: string) =>
  sendJson<{ recovery_codes: string[] }>('POST', `${FACTOR}/recovery-codes`, { password });
export const renamePasskey = (id: string, name: string) =>
  sendJson('PATCH', `${FACTOR}/passkeys/${id}`, { name });
export const removePasskey = (id: string, password: string) =>
  sendJson('POST', `${FACTOR}/passkeys/${id}/remove`, { password });
export const takeAwayFactors = (secret: string, username: string, password: string) =>
  sendJson('POST', `${API}/second-factor-link`, { secret, username, password });

export const getDeletion = () => get<OwnDeletion>(`${API}/account-deletion`);
export const askDeletion = (password: string, code?: string, passkey?: unknown) =>
  sendJson<OwnDeletion>('POST', `${API}/account-deletion`, { password, code, passkey });

export const knowsPasskeys = () =>
  typeof PublicKeyCredential !== 'undefined' && 'parseRequestOptionsFromJSON' in PublicKeyCredential;

/** Has the device make a passkey, and keeps it. */
export async function addPasskey(password: string, name: string) {
  const options = await sendJson<PublicKeyCredentialCreationOptionsJSON>(
    'POST',
    `${FACTOR}/passkeys/options`,
    {
      password,
    },
  );
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
  return sendJson<Schemas['MadePasskey']>('POST', `${FACTOR}/passkeys`, { passkey: made.toJSON(), name });
}

/** What a passkey answers: to a sign-in that goes on, or to a challenge that is fetched for it. */
export async function usePasskey(asked?: unknown): Promise<unknown> {
  const options = asked ?? (await sendJson('POST', `${API}/session/passkey/options`));
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
    options as PublicKeyCredentialRequestOptionsJSON,
  );
  return ((await navigator.credentials.get({ publicKey })) as PublicKeyCredential).toJSON();
}

/** What browsers say when somebody closes the question for a passkey is no sentence for people. */
export function passkeyProblem(error: unknown): unknown {
  return error instanceof DOMException ? new Error('No passkey was used.') : error;
}
