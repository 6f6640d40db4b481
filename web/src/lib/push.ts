// Web Push for this browser: https://docs.joinmastodon.org/methods/push/, https://www.w3.org/TR/push-api/.
import { ApiError, get, sendJson } from './api/client';
import { getInstance } from './api/reading';

const PATH = '/api/v1/push/subscription';
const WORKER = '/push-worker.js';

export interface PushChoices {
  alerts: Record<string, boolean>;
  policy: 'all' | 'followed' | 'follower' | 'none';
}
interface Subscribed extends PushChoices {
  endpoint: string;
}

/** Why this browser can't, as a sentence with the way out; null where it can. */
export function whyNot(): string | null {
  if (!isSecureContext) return 'Browsers allow this by HTTPS only, and this page came without it.';
  if (!('serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window))
    return 'This browser can’t, or not here: on an iPhone or iPad, add the page to the Home Screen and open it from there; private windows never can.';
  if (Notification.permission === 'denied') return REFUSED;
  return null;
}
const REFUSED =
  'This browser refuses notifications of this page. Allow them in its settings for this site, beside the address, and load the page again.';

const ownOf = async () => (await navigator.serviceWorker.getRegistration('/'))?.pushManager.getSubscription();

/** What is chosen for this browser; null where nothing is pushed to it. */
export async function pushed(): Promise<PushChoices | null> {
  const [own, known] = await Promise.all([
    ownOf(),
    get<Subscribed>(PATH).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }),
  ]);
  return own && known?.endpoint === own.endpoint ? { alerts: known.alerts, policy: known.policy } : null;
}

export async function turnOn(choices: PushChoices): Promise<void> {
  if ((await Notification.requestPermission()) !== 'granted') throw new Error(REFUSED);
  const { vapid } = (await getInstance()).configuration;
  if (!vapid?.public_key) throw new Error('This server pushes nothing.');
  await navigator.serviceWorker.register(WORKER);
  const { pushManager } = await navigator.serviceWorker.ready;
  // One that was made for another key of the server is of no use.
  await (await pushManager.getSubscription())?.unsubscribe();
  const made = await pushManager
    .subscribe({ userVisibleOnly: true, applicationServerKey: vapid.public_key })
    .catch((error: Error) => {
      throw new Error(`The push service of this browser did not answer (${error.message}). Try again later.`);
    });
  const { endpoint, keys } = made.toJSON();
  await sendJson('POST', PATH, { subscription: { endpoint, keys, standard: true }, data: choices });
}

export const changePush = ({ alerts, policy }: PushChoices): Promise<void> =>
  sendJson('PUT', PATH, { data: { alerts, policy } });

export async function turnOff(): Promise<void> {
  await (await ownOf())?.unsubscribe();
  await sendJson('DELETE', PATH);
}
