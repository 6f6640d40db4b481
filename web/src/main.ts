import { mount } from 'svelte';
import App from './App.svelte';
import * as look from './lib/look';
import { router } from './lib/router.svelte';
import { session } from './lib/session.svelte';
import './styles/tokens.css';
import './styles/base.css';

look.show();
router.start();
void session.refresh();
const target = document.getElementById('app')!;
target.replaceChildren();
mount(App, { target });
