// How one stands oneself, and what may be said against it.
import { get, sendJson } from './client';
import type { OwnStanding } from '../types';

const API = '/api/folkmoot/v1';

export const getStanding = () => get<OwnStanding>(`${API}/standing`);

export const appeal = (sanction: string, text: string) =>
  sendJson<OwnStanding>('POST', `${API}/appeals`, { sanction, text });
