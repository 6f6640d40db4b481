// One way to ask the server. Errors come out as sentences that can be shown.

export class ApiError extends Error {
  constructor(
    sentence: string,
    readonly status: number,
    readonly code: string,
  ) {
    super(sentence);
  }
}

export interface Page<T> {
  items: T[];
  /** Where the next, older page is, or null at the end. */
  next: string | null;
}

/** Codes of refusals that say something about the person, not about what was asked for. */
const LOST = new Set(['suspended', 'awaiting_approval', 'deactivated', 'locked', 'revoked']);
const OFFLINE = 'The server can’t be reached. Check your connection and try again.';

/** What to call when the server says that this session may do less than it thought. */
let onStandingLost: () => void = () => undefined;
export function whenStandingLost(callback: () => void): void {
  onStandingLost = callback;
}

export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(OFFLINE, 0, 'offline');
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

async function refusal(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => null)) as { error?: string; code?: string } | null;
  const code = body?.code ?? '';
  if (response.status === 401 || LOST.has(code)) onStandingLost();
  return new ApiError(body?.error ?? fallbackSentence(response.status), response.status, code);
}

function fallbackSentence(status: number): string {
  if (status === 404) return 'This does not exist, or it is not for you to see.';
  if (status === 413) return 'This is too large to send.';
  if (status === 429) return 'That was a lot at once. Wait a moment and try again.';
  if (status >= 500) return 'The server made a mistake. Try again in a moment.';
  return 'The server did not accept this.';
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return read<T>(await send(path, { signal }));
}

/** The answer, undefined where it is empty. It may be cut, or be somebody else's: a hotel's page, a proxy's. */
async function read<T>(response: Response): Promise<T> {
  try {
    const answer = await response.text();
    return (answer ? JSON.parse(answer) : undefined) as T;
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw new ApiError(OFFLINE, 0, 'offline');
  }
}

export async function getPage<T>(path: string, signal?: AbortSignal): Promise<Page<T>> {
  const response = await send(path, { signal });
  return { items: await read<T[]>(response), next: nextLink(response.headers.get('Link')) };
}

/** Browsers keep at most 64 KiB alive, all requests together (Fetch, 4.6), and refuse what is more. */
const KEPT_ALIVE_BYTES_MAX = 16_384;

/** Sends JSON; the answer is undefined where the server has none. */
export async function sendJson<T>(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<T> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const response = await send(path, {
    method,
    headers: text === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
    body: text,
    // What somebody did is done, even if the page is left or closed in the same moment.
    keepalive: new TextEncoder().encode(text).length <= KEPT_ALIVE_BYTES_MAX,
  });
  return read<T>(response);
}

/** The path of rel="next" in a Link header (RFC 8288); the server's own name for itself is left out. */
export function nextLink(header: string | null): string | null {
  for (const part of (header ?? '').split(/,\s*(?=<)/)) {
    const found = /^<([^>]+)>(.*)$/.exec(part.trim());
    if (found?.[1] && /;\s*rel="?next"?/.test(found[2] ?? '')) return pathOf(found[1]);
  }
  return null;
}

/** The path and query of an address of this server, whatever name the server knows itself by. */
export function pathOf(address: string): string {
  const url = new URL(address, location.origin);
  return url.pathname + url.search;
}
