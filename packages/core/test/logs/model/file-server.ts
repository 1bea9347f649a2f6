import { Hash64, type NodeAnswer, type NodeRequest } from "../../../src/index.ts";
import { equal } from "./bytes.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** Serves a node's log folder, as the adapter of the kubelet's file server does. */
export class FileServer {
  readonly #world: World;
  readonly #random: Random;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  list(): NodeAnswer {
    return { kind: "names", names: this.#world.folder.names() };
  }

  /** The file's bytes from the place on, or why there are none. */
  open(request: Extract<NodeRequest, { kind: "read" }>): { kind: "open"; bytes: Uint8Array } | NodeAnswer {
    const { name, place, limit } = request;
    const file = this.#world.folder.open(name);
    if (file === null) return { kind: "missing" };
    const { bytes } = file;
    if (place.offset > bytes.length || !endsInEntry(bytes, place)) return { kind: "changed" };
    const last = file.entries.at(-1);
    // The last entry may be half written.
    const half = last !== undefined && !this.#world.ended && file === this.#world.folder.current;
    const visible =
      half && this.#random.chance(0.1)
        ? Math.max(place.offset, bytes.length - this.#random.below(last.text.length + 40))
        : bytes.length;
    const end = limit === null ? visible : Math.min(visible, place.offset + limit);
    return { kind: "open", bytes: bytes.subarray(place.offset, end) };
  }
}

function endsInEntry(
  bytes: Uint8Array,
  { offset, entryBytes, entryHash }: { offset: number; entryBytes: number; entryHash: string },
): boolean {
  if (offset === 0) return true;
  const entry = bytes.slice(offset - entryBytes, offset);
  const before = offset - entryBytes;
  const whole = equal(entry.subarray(-1), Uint8Array.of(0x0a)) && (before === 0 || bytes[before - 1] === 0x0a);
  return whole && new Hash64().update(new DataView(entry.buffer), 0, entry.length).hex() === entryHash;
}
