// Who this browser is signed in as, and what the server says of itself.
import { get, sendJson, whenStandingLost } from './api/client';
import { toasts } from './toasts.svelte';
import { asSentence } from './words';
import type { SecondFactorNeeded } from './api/security';
import type { Session } from './types';

const API = '/api/folkmoot/v1';

export interface NewAccount {
  username: string;
  password: string;
  email?: string;
  reason?: string;
  owner_secret?: string;
  /** The code of a link that somebody gave them. */
  invite?: string;
}

class SessionStore {
  #now = $state<Session | null>(null);
  problem = $state<string | null>(null);

  get known(): boolean {
    return this.#now !== null;
  }
  get account() {
    return this.#now?.account ?? null;
  }
  get username() {
    return this.#now?.username ?? null;
  }
  get role() {
    return this.#now?.role ?? null;
  }
  get standing() {
    return this.#now?.standing ?? null;
  }
  get reason() {
    return this.#now?.reason ?? '';
  }
  get site() {
    return this.#now?.site ?? null;
  }
  /** Signed in, and free to take part. A limited account takes part too: only fewer people see it. */
  get active(): boolean {
    return this.account !== null && (this.standing === 'active' || this.standing === 'limited');
  }
  /** Signed in, but kept out for now. */
  get keptOut(): boolean {
    return this.standing !== null && !this.active;
  }

  async refresh(): Promise<void> {
    try {
      const wasSignedIn = this.standing !== null;
      this.#now = await get<Session>(`${API}/session`);
      if (this.standing === null && (wasSignedIn || this.reason))
        toasts.say(this.reason || 'You were signed out. Sign in to read why.');
      this.problem = null;
    } catch (error) {
      this.problem = asSentence(error);
    }
  }

  /** Signs in, or says what is needed besides the password. */
  async signIn(username: string, password: string): Promise<SecondFactorNeeded | null> {
    return this.#entered(await sendJson<Session>('POST', `${API}/session`, { username, password }));
  }

  /** After the password: a code, or what a passkey answered. */
  async goOn(factor: { ticket: string; code?: string; passkey?: unknown }): Promise<void> {
    this.#now = await sendJson<Session>('POST', `${API}/session/second-factor`, factor);
  }

  async signInByPasskey(passkey: unknown): Promise<void> {
    this.#now = await sendJson<Session>('POST', `${API}/session/passkey`, { passkey });
  }

  #entered(now: Session): SecondFactorNeeded | null {
    if (now.second_factor) return now.second_factor;
    this.#now = now;
    return null;
  }

  async signUp(account: NewAccount): Promise<void> {
    this.#now = await sendJson<Session>('POST', `${API}/accounts`, account);
  }

  /** By a link from a letter or a moderator; signs in, or says what is needed besides. */
  async setPassword(secret: string, password: string): Promise<SecondFactorNeeded | null> {
    return this.#entered(await sendJson<Session>('POST', `${API}/password-link`, { secret, new: password }));
  }

  async changePassword(current: string, fresh: string): Promise<void> {
    this.#now = await sendJson<Session>('POST', `${API}/password`, { current, new: fresh });
  }

  async deactivate(password: string): Promise<void> {
    await sendJson('POST', `${API}/deactivate`, { password });
    location.assign('/');
  }

  async comeBack(): Promise<void> {
    await sendJson('POST', `${API}/come-back`);
    await this.refresh();
  }

  async signOut(): Promise<void> {
    await sendJson('DELETE', `${API}/session`);
    // Whatever was loaded was loaded for somebody: begin anew.
    location.assign('/');
  }
}

export const session = new SessionStore();

let asking = false;
whenStandingLost(() => {
  if (asking || !session.standing) return;
  asking = true;
  void session.refresh().finally(() => (asking = false));
});
