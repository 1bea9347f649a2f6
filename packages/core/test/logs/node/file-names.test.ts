import { describe, expect, test } from "vitest";
import { instanceFiles, parseListing } from "../../../src/index.ts";

const rotated = (name: string): { name: string; base: string; gzipped: boolean } => ({
  name,
  base: name.replace(/\.gz$/, ""),
  gzipped: name.endsWith(".gz"),
});

/** As a kubelet of Kubernetes 1.34 answered. */
const LISTING = `<!doctype html>
<meta name="viewport" content="width=device-width">
<pre>
<a href="0.log">0.log</a>
<a href="0.log.20261124-135428.gz">0.log.20261124-135428.gz</a>
<a href="0.log.20261124-135431.gz">0.log.20261124-135431.gz</a>
<a href="0.log.20261124-135434.gz">0.log.20261124-135434.gz</a>
<a href="0.log.20261124-135437">0.log.20261124-135437</a>
</pre>
`;

describe("parseListing", () => {
  test("reads a real one", () => {
    const names = parseListing(LISTING);
    expect(names).toEqual([
      "0.log",
      "0.log.20261124-135428.gz",
      "0.log.20261124-135431.gz",
      "0.log.20261124-135434.gz",
      "0.log.20261124-135437",
    ]);
    expect(instanceFiles(0, names)).toEqual({
      current: true,
      rotated: [
        rotated("0.log.20261124-135428.gz"),
        rotated("0.log.20261124-135431.gz"),
        rotated("0.log.20261124-135434.gz"),
        rotated("0.log.20261124-135437"),
      ],
    });
  });

  test.each([
    ["<pre>\n</pre>\n", []],
    ['<pre>\n<a href="rot/">rot/</a>\n<a href="0.log">0.log</a>\n</pre>', ["0.log"]],
    ['<a href="a%20b&amp;c">a b&amp;c</a>', ["a b&c"]],
    ['<a href="%E0%A4%A">broken</a><a href="x">x</a>', ["x"]],
    ["404 page not found", []],
  ])("%j", (html, names) => {
    expect(parseListing(html)).toEqual(names);
  });
});

describe("instanceFiles", () => {
  test.each([
    ["nothing", 0, [], false, []],
    ["the current file alone", 0, ["0.log"], true, []],
    ["between renaming and reopening", 0, ["0.log.20261124-135428"], false, ["0.log.20261124-135428"]],
    [
      "what is being compressed",
      0,
      ["0.log", "0.log.20261124-135428", "0.log.20261124-135428.tmp"],
      true,
      ["0.log.20261124-135428"],
    ],
    [
      "both forms, of which the one that is going to stay may still grow",
      0,
      ["0.log.20261124-135428.gz", "0.log.20261124-135428"],
      false,
      ["0.log.20261124-135428"],
    ],
    [
      "both forms the other way round",
      0,
      ["0.log.20261124-135428", "0.log.20261124-135428.gz"],
      false,
      ["0.log.20261124-135428"],
    ],
    [
      "an order that is not the listing's",
      0,
      ["0.log.20261231-235959", "0.log.20270101-000000", "0.log.20261124-135428.gz"],
      false,
      ["0.log.20261124-135428.gz", "0.log.20261231-235959", "0.log.20270101-000000"],
    ],
    [
      "other instances",
      1,
      ["0.log", "1.log", "10.log", "11.log.20261124-135428", "1.log.20261124-135429"],
      true,
      ["1.log.20261124-135429"],
    ],
    [
      "other names",
      0,
      ["0.log.", "0.log.1", "0.log.20261124", "0.log.20261124-1354280", "0.log.gz", "x0.log", "0xlog.20261124-135428"],
      false,
      [],
    ],
  ])("%s", (_, restart, names, current, expected) => {
    expect(instanceFiles(restart, names)).toEqual({ current, rotated: expected.map(rotated) });
  });
});
