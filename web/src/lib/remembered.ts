// What this browser remembers for somebody, and nobody else is told. What it can't store, this page remembers.

const PREFIX = 'folkmoot.';
/** What storage did not take, because it is full or forbidden: it holds until the page is closed. */
const unstored = new Map<string, string>();

export function remembered<T>(name: string, otherwise: T): T {
  try {
    const text = unstored.get(name) ?? localStorage.getItem(PREFIX + name);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}

export function remember(name: string, value: unknown): void {
  if (!store(name, value)) unstored.set(name, JSON.stringify(value));
}

/** Whether storage took it. */
export function store(name: string, value: unknown): boolean {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
    unstored.delete(name);
    return true;
  } catch {
    return false;
  }
}
