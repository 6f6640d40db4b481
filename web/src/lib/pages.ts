// Which page an address shows. Each is loaded when it is first opened.
import type { Component } from 'svelte';
import type { Route } from './router.svelte';

type Loader = () => Promise<{ default: Component<any>; SoundBar?: Component }>;

const PAGES: Record<Route['name'], Loader> = {
  home: () => import('../pages/Home.svelte'),
  public: () => import('../pages/Public.svelte'),
  spaces: () => import('../pages/Spaces.svelte'),
  space: () => import('../pages/SpacePage.svelte'),
  profile: () => import('../pages/Profile.svelte'),
  thread: () => import('../pages/Thread.svelte'),
  tag: () => import('../pages/TagPage.svelte'),
  lists: () => import('../pages/Lists.svelte'),
  list: () => import('../pages/ListPage.svelte'),
  search: () => import('../pages/Search.svelte'),
  notifications: () => import('../pages/Notifications.svelte'),
  conversations: () => import('../pages/Conversations.svelte'),
  'follow-requests': () => import('../pages/FollowRequests.svelte'),
  scheduled: () => import('../pages/Scheduled.svelte'),
  favourites: () => import('../pages/Kept.svelte'),
  bookmarks: () => import('../pages/Kept.svelte'),
  settings: () => import('../pages/Settings.svelte'),
  preferences: () => import('../pages/settings/Preferences.svelte'),
  mutes: () => import('../pages/settings/Hidden.svelte'),
  blocks: () => import('../pages/settings/Hidden.svelte'),
  'followed-tags': () => import('../pages/settings/FollowedTags.svelte'),
  filters: () => import('../pages/settings/Filters.svelte'),
  security: () => import('../pages/settings/Security.svelte'),
  'confirm-email': () => import('../pages/ConfirmEmail.svelte'),
  forgotten: () => import('../pages/Forgotten.svelte'),
  'lost-factors': () => import('../pages/LostFactors.svelte'),
  'sign-in': () => import('../pages/SignIn.svelte'),
  'sign-up': () => import('../pages/SignUp.svelte'),
  setup: () => import('../pages/SignUp.svelte'),
  password: () => import('../pages/NewPassword.svelte'),
  about: () => import('../pages/About.svelte'),
  moderation: () => import('../pages/Moderation.svelte'),
  'moderation-appeals': () => import('../pages/ModerationAppeals.svelte'),
  'moderation-accounts': () => import('../pages/ModerationAccounts.svelte'),
  'moderation-account': () => import('../pages/ModerationAccount.svelte'),
  'moderation-doors': () => import('../pages/ModerationDoors.svelte'),
  missing: () => import('../pages/Missing.svelte'),
};

export const loadPage = (route: Route): ReturnType<Loader> => PAGES[route.name]();

/** What the page is given, and a key: with another key it begins anew. */
export function propsOf(route: Route): Record<string, unknown> {
  switch (route.name) {
    case 'space':
    case 'thread':
    case 'list':
    case 'moderation-account':
      return { id: route.id };
    case 'profile':
      return { handle: route.handle, side: route.side, tag: route.tag };
    case 'tag':
      return { tag: route.tag };
    case 'favourites':
    case 'bookmarks':
    case 'mutes':
    case 'blocks':
      return { what: route.name };
    case 'sign-up':
    case 'setup':
      return { owner: route.name === 'setup' };
    default:
      return {};
  }
}

export function keyOf(route: Route): string {
  if (route.name === 'profile') return `profile ${route.handle}`;
  return JSON.stringify(route);
}
