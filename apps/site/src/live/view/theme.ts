/** Light or dark, as the reference has it: what was chosen there holds here, and the other way round. */

import type { Scheme } from '../map/palette.ts';

/** Where TypeDoc keeps the choice. */
const KEY = 'tsd-theme';

const dark = matchMedia('(prefers-color-scheme: dark)');

/** The scheme to draw in. */
export function scheme(): Scheme {
  const chosen = document.documentElement.dataset['theme'];
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return dark.matches ? 'dark' : 'light';
}

/** Lets the page's menu choose, and calls `onChange` when the scheme may be another. */
export function followTheme(menu: HTMLSelectElement, onChange: () => void): void {
  const apply = (): void => {
    document.documentElement.dataset['theme'] = menu.value;
    onChange();
  };
  menu.value = stored();
  menu.addEventListener('change', () => {
    store(menu.value);
    apply();
  });
  dark.addEventListener('change', apply);
  apply();
}

/** Pages from a file may have no storage. */
function stored(): string {
  try {
    return localStorage.getItem(KEY) ?? 'os';
  } catch {
    return 'os';
  }
}

function store(choice: string): void {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // Then the choice holds for this page.
  }
}
