/** A module that serves nothing. */

export const nothing = undefined;
