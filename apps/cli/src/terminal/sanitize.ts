const ESCAPE = "\u001b";

/** What follows `ESC` in SGR: numbers between `[` and `m`. */
const SGR = /^\[([\d;]*)m/;

/** Hides text (8), or blinks (5, 6). */
const REFUSED_SGR = new Set([5, 6, 8]);

/** Control characters, and the marks that reorder or end lines of text where it is shown. */
const CONTROL = /[^\P{Cc}\t]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

const RESET = `${ESCAPE}[0m`;

/**
 * Makes one line of foreign text safe to print: what a terminal would obey is shown as a visible sign (`␛`, `␍`, `␈`,
 * `\u202e`), so that a log can neither move the cursor nor forge another line. Tabs stay.
 *
 * @param colors - lets SGR colours through, ended at the end of the line; otherwise they are left out
 */
export function sanitizeLine(line: string, colors: boolean): string {
  let result = "";
  let colored = false;
  for (const [index, part] of line.split(ESCAPE).entries()) {
    const sgr = index === 0 ? null : SGR.exec(part);
    if (sgr !== null && isHarmless(sgr[1]!)) {
      if (colors) result += ESCAPE + sgr[0];
      colored ||= colors;
      result += reveal(part.slice(sgr[0].length));
    } else {
      result += reveal(index === 0 ? part : ESCAPE + part);
    }
  }
  return colored ? result + RESET : result;
}

function isHarmless(parameters: string): boolean {
  const numbers = parameters.split(";").map(Number);
  for (let index = 0; index < numbers.length; index += 1) {
    const number = numbers[index]!;
    // 38 and 48 take a colour as arguments: `5;n` or `2;r;g;b`.
    if (number === 38 || number === 48) index += numbers[index + 1] === 5 ? 2 : 4;
    else if (REFUSED_SGR.has(number)) return false;
  }
  return true;
}

function reveal(text: string): string {
  return text.replace(CONTROL, (character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    if (code === 0x7f) return "\u2421";
    return code < 0x100 ? `\\x${code.toString(16)}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}
