import { describe, expect, it } from 'vitest';
import { nextLink } from './api/client';
import { usualRange, withEnd, withStart, windowAround } from './clip-range';
import { safeFragment } from './rich-text';
import { gained } from './spaces/gained';
import { barsOf } from './waveform';
import { ago, clock, listeners, plural, spokenClock } from './words';

describe('nextLink', () => {
  it('finds the next page, under whatever name the server knows itself', () => {
    const header =
      '<https://x.example/api/v1/timelines/home?limit=2&max_id=7>; rel="next", <https://x.example/a?min_id=9>; rel="prev"';
    expect(nextLink(header)).toBe('/api/v1/timelines/home?limit=2&max_id=7');
    expect(nextLink('<https://x.example/a?min_id=9>; rel="prev"')).toBeNull();
    expect(nextLink(null)).toBeNull();
  });
});

describe('clip range', () => {
  it('is the last 30 s by default, and less where there is less', () => {
    expect(usualRange(0, 100_000, 90_000)).toEqual({ fromMs: 60_000, toMs: 90_000 });
    expect(usualRange(0, 12_000, 12_000)).toEqual({ fromMs: 0, toMs: 12_000 });
    expect(usualRange(5_000, 100_000, 5_000)).toEqual({ fromMs: 5_000, toMs: 35_000 });
  });

  it('stays between 1 s and 2 min while its handles move', () => {
    const within = windowAround({ fromMs: 100_000, toMs: 130_000 }, 0, 500_000);
    expect(within).toEqual({ fromMs: 40_000, toMs: 190_000 });
    expect(withStart({ fromMs: 100_000, toMs: 130_000 }, 129_900, within)).toEqual({
      fromMs: 129_900,
      toMs: 130_900,
    });
    expect(withStart({ fromMs: 100_000, toMs: 190_000 }, 0, within)).toEqual({
      fromMs: 40_000,
      toMs: 160_000,
    });
    expect(withEnd({ fromMs: 100_000, toMs: 130_000 }, 0, within)).toEqual({ fromMs: 40_000, toMs: 41_000 });
  });
});

describe('barsOf', () => {
  it('takes the highest peak under each bar, and silence outside', () => {
    const waveform = { step_ms: 100, start_ms: 1000, peaks: [0, 255, 51, 102] };
    expect(barsOf(waveform, 1000, 1400, 2)).toEqual([1, 0.4]);
    expect(barsOf(waveform, 1400, 1800, 2)).toEqual([0, 0]);
  });
});

describe('gained', () => {
  it('shows what came, and no storm after a jump', () => {
    expect(gained({ '👏': 1 }, { '👏': 3, '🔥': 1 })).toEqual(['👏', '👏', '🔥']);
    expect(gained({ '👏': 9 }, { '👏': 3 })).toEqual([]);
    expect(gained({}, { '👏': 5000, '🔥': 9 })).toHaveLength(8);
  });
});

describe('words', () => {
  it('tells times as people do', () => {
    const now = Date.parse('2027-01-15T12:00:00Z');
    expect(ago('2027-01-15T11:57:00Z', now)).toBe('3 minutes ago');
    expect(ago('2027-01-14T11:00:00Z', now)).toBe('yesterday');
    expect(ago('2027-01-15T12:00:01Z', now)).toBe('just now');
    expect(clock(3_725_000)).toBe('1:02:05');
    expect(clock(-5)).toBe('0:00');
    expect(spokenClock(61_000)).toBe('1 minute 1 second');
    expect(plural(36_000, 'listener')).toBe('36,000 listeners');
    expect(listeners(36_000, 0)).toBe('36,000 listeners');
    expect(listeners(36_000, 1_234)).toBe('36,000 listeners, and about 1,200 by HLS');
  });
});

describe('safeFragment', () => {
  const html = (source: string) => {
    const box = document.createElement('div');
    box.append(safeFragment(source));
    return box.innerHTML;
  };

  it('keeps what a post is made of', () => {
    expect(html('<p>Hi <a href="https://x.example/a" class="mention">@<span>a</span></a><br>there</p>')).toBe(
      '<p>Hi <a class="mention" href="https://x.example/a" rel="nofollow noopener noreferrer">@<span>a</span></a><br>there</p>',
    );
  });

  it('drops what could act', () => {
    expect(
      html('<img src=x onerror=alert(1)><script>alert(1)</script><p onclick="x()" style="color:red">a</p>'),
    ).toBe('<p>a</p>');
    expect(html('<a href="javascript:alert(1)">a</a><form><b>b</b></form>')).toBe('<a>a</a><b>b</b>');
  });
});
