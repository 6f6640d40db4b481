import { expect, it } from 'vitest';
import { Place } from './place';

class Element extends EventTarget {
  readyState = 0;
  #time = 0;
  get currentTime(): number {
    return this.#time;
  }
  set currentTime(seconds: number) {
    if (this.readyState > 0) this.#time = seconds;
  }
  load(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event('loadedmetadata'));
  }
}

it('keeps a place that was chosen before the sound was known', () => {
  const element = new Element();
  const place = new Place(element);
  place.seconds = 20;
  place.seconds = 12;
  expect(place.seconds).toBe(12);
  expect(element.currentTime).toBe(0);
  element.load();
  expect(element.currentTime).toBe(12);
  place.seconds = 3;
  expect(element.currentTime).toBe(3);
});

it('stays where it is when nothing was chosen', () => {
  const element = new Element();
  const place = new Place(element);
  element.load();
  expect(place.seconds).toBe(0);
});

it('counts from where the sound of the element begins', () => {
  const element = new Element();
  const place = new Place(element, () => 8);
  place.seconds = 20;
  element.load();
  expect(element.currentTime).toBe(12);
  expect(place.seconds).toBe(20);
});
