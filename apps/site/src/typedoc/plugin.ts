/** What the site adds to TypeDoc's pages: titles of documents from their headings, ways to the live pages and the measured results. */

import { Converter, JSX, type Application, type DefaultThemeRenderContext, type DocumentReflection } from 'typedoc';
import { CATALOG } from '../live/catalog.ts';

/** Called by TypeDoc. */
export function load(app: Application): void {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_: unknown, document: DocumentReflection) => {
    document.name = headingOf(document)?.replace(/^@allokit\//, '') ?? document.name;
  });
  app.renderer.hooks.on('sidebar.begin', (context) => siteLinks(context));
  app.renderer.hooks.on('content.begin', (context) => liveLinks(context));
}

/** The first heading of a document, without its marks. */
function headingOf({ content }: DocumentReflection): string | undefined {
  const text = content.map((part) => part.text).join('');
  return /^# (.+)$/m.exec(text)?.[1]?.replaceAll('`', '');
}

/** Above the navigation of every page. */
function siteLinks(context: DefaultThemeRenderContext): JSX.Element {
  const link = (path: string, text: string): JSX.Element => JSX.createElement('a', { href: context.relativeURL(path) }, text);
  return JSX.createElement(
    'nav',
    { class: 'site-links', 'aria-label': 'Site' },
    link('live/index.html', 'Live pages'),
    link('measured/index.html', 'Measured results'),
  );
}

/** Above the README of a package whose allocators run in the browser. */
function liveLinks(context: DefaultThemeRenderContext): JSX.Element {
  const entries = CATALOG.filter(({ module }) => context.page.model.isDeclaration() && module === context.page.model.name);
  if (entries.length === 0) return JSX.createElement(JSX.Fragment, null);
  const links = entries.map(({ id, title }) => JSX.createElement('a', { href: context.relativeURL(`live/${id}.html`) }, title));
  return JSX.createElement(
    'p',
    { class: 'live-links' },
    'Live, with a map of its memory: ',
    ...links.flatMap((element, i) => (i === 0 ? [element] : [', ', element])),
  );
}
