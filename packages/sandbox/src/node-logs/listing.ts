/**
 * A folder as a page, as Go's file server shows it (net/http, dirList).
 *
 * @param names - those of folders end in `/`
 */
export function renderListing(names: readonly string[]): string {
  const sorted = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const links = sorted.map((name) => `<a href="${escapePath(name)}">${escapeHtml(name)}</a>\n`);
  return `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${links.join("")}</pre>\n`;
}

/** Go's `html.EscapeString`. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&#34;")
    .replaceAll("'", "&#39;");
}

/** A relative URL, as Go's net/url writes it: a colon in its first segment would be a scheme's. */
function escapePath(name: string): string {
  const escaped = encodeURIComponent(name)
    .replaceAll(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll(/%(24|26|2B|2C|2F|3A|3B|3D|40)/g, (each) => decodeURIComponent(each));
  return /^[^/]*:/.test(escaped) ? `./${escaped}` : escaped;
}
