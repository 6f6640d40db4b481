// Shows what the server pushes, and opens the page that it is about. It keeps no pages and answers no requests.
// @ts-check
/** @type {any} */
const worker = self;

worker.addEventListener('install', () => worker.skipWaiting());
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener('push', (event) => {
  const told = event.data?.json() ?? {};
  const shown = worker.registration.showNotification(told.title ?? 'Something new', {
    body: told.body ?? '',
    icon: told.icon,
    tag: told.notification_id,
    data: { id: told.notification_id },
  });
  event.waitUntil(shown);
});

worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(addressOf(event.notification.data?.id).then(open));
});

/** Where what it tells of is to be read. It is asked for now: what was pushed holds no more than words. */
async function addressOf(id) {
  const answer = id ? await fetch(`/api/v1/notifications/${id}`).catch(() => null) : null;
  if (!answer?.ok) return '/notifications';
  const { type, account, status, folkmoot } = await answer.json();
  if (folkmoot?.space_id) return `/spaces/${folkmoot.space_id}`;
  if (status) return `/@${status.account.acct}/${status.id}`;
  if (type === 'follow_request') return '/follow-requests';
  return type === 'follow' && account ? `/@${account.acct}` : '/notifications';
}

/** In a tab that is there, without loading it anew: somebody may be listening in it. */
async function open(address) {
  const tabs = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const tab = tabs.find((one) => one.visibilityState === 'visible') ?? tabs[0];
  if (!tab) return worker.clients.openWindow(address);
  tab.postMessage({ open: address });
  return tab.focus().catch(() => undefined);
}
