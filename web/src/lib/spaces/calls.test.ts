import { afterEach, describe, expect, it, vi } from 'vitest';
import { isCalled } from './calls';

// As the server makes them: HMAC-SHA256 with the secret of 32 times "s", Space 5, account 2.
const KEY = '1fadeaed8923efad70858938b928a0559b51996d2bf3d20b40772ff91726c089';
const CALL = '00ff10a77d6b23b1';

describe('a call', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('is known by who has the key', async () => {
    expect(await isCalled(KEY, [CALL])).toBe(true);
    expect(await isCalled(KEY, ['00ff10a77d6b23b2', CALL])).toBe(true);
  });

  it('is noise to everybody else', async () => {
    expect(await isCalled(KEY.replace('1', '2'), [CALL])).toBe(false);
    expect(await isCalled(KEY, [])).toBe(false);
    expect(await isCalled(KEY, ['00ff10a87d6b23b1', '', '00ff10a7', `${CALL}00`, 'zz'.repeat(8)])).toBe(
      false,
    );
  });

  it('is not for a page that has nothing to compute it with', async () => {
    vi.stubGlobal('crypto', {});
    expect(await isCalled(KEY, [CALL])).toBe(false);
  });
});
