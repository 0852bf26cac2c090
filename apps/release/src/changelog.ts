/**
 * How changesets become changelogs: one item a change, with the text as it was written, and without commit hashes, which say nothing to a reader and
 * differ with every rebase.
 */

import type { ChangelogFunctions } from '@changesets/types';

/** A text of any length as one item of a list. The empty line at its end keeps it apart from the next. */
function item(text: string): string {
  return `- ${text.trim().replaceAll(/\n(?=[^\n])/g, '\n  ')}\n`;
}

const functions: ChangelogFunctions = {
  getReleaseLine: ({ summary }) => item(summary),
  getDependencyReleaseLine: (_changesets, dependencies) => {
    if (dependencies.length === 0) return '';
    return item(`Works with ${dependencies.map(({ name, newVersion }) => `\`${name}\` ${newVersion}`).join(', ')}.`);
  },
};

// changesets asks for a default export.
export default functions;
