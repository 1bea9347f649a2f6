import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import type { ConfigMap, Pod } from "../store/kinds.ts";

/** A container's directories as they lie on this machine, below the pod's root. */
export class PodFileSystem {
  /** Stands for `/` of the pod. */
  readonly root: string;
  readonly #mounted: string[] = ["/tmp"];

  constructor(root: string) {
    this.root = root;
  }

  /**
   * Makes the directories of all volumes and writes those of ConfigMaps. All containers of a pod share one root.
   *
   * @returns what is missing, in the kubelet's words, or null
   */
  async mount(pod: Pod, configMap: (name: string) => ConfigMap | undefined): Promise<string | null> {
    await mkdir(join(this.root, "tmp"), { recursive: true });
    await mkdir(join(this.root, "home"), { recursive: true });
    const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
    for (const volume of pod.spec.volumes ?? []) {
      const paths = containers.flatMap(({ volumeMounts = [] }) =>
        volumeMounts.filter((mount) => mount.name === volume.name).map((mount) => mount.mountPath),
      );
      const found = volume.configMap === undefined ? undefined : configMap(volume.configMap.name);
      if (volume.configMap !== undefined && found === undefined)
        return `MountVolume.SetUp failed for volume "${volume.name}" : configmap "${volume.configMap.name}" not found`;
      for (const path of new Set(paths)) await this.#fill(path, found);
    }
    return null;
  }

  /** A path of the pod on this machine, where it is below a volume or `/tmp`; anything else stays. */
  resolve(path: string): string {
    return this.#isMounted(path) ? join(this.root, normalize(path)) : path;
  }

  /** A shell text with the paths of volumes and `/tmp` replaced where a word begins with them. */
  resolveWords(text: string): string {
    return text.replace(/(^|[\s"'=(])(\/[^\s"')]*)/g, (_, before: string, path: string) => before + this.resolve(path));
  }

  async #fill(mountPath: string, configMap: ConfigMap | undefined): Promise<void> {
    this.#mounted.push(mountPath);
    const directory = join(this.root, normalize(mountPath));
    await mkdir(directory, { recursive: true });
    for (const [key, value] of Object.entries(configMap?.data ?? {})) await writeInto(join(directory, key), value);
    for (const [key, value] of Object.entries(configMap?.binaryData ?? {}))
      await writeInto(join(directory, key), Buffer.from(value, "base64"));
  }

  #isMounted(path: string): boolean {
    return this.#mounted.some((mount) => path === mount || path.startsWith(mount.endsWith("/") ? mount : `${mount}/`));
  }
}

async function writeInto(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
