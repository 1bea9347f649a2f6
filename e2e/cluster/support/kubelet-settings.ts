import { kubectl } from "./kubectl.ts";

/** How the kubelets rotate logs. */
export interface KubeletLogSettings {
  containerLogMaxSize: string;
  containerLogMaxFiles: number;
}

const UNITS = new Map([
  ["Ki", 2 ** 10],
  ["Mi", 2 ** 20],
  ["Gi", 2 ** 30],
]);

/** Asks the first node, as somebody who may do everything. */
export async function readKubeletLogSettings(): Promise<KubeletLogSettings> {
  const node = await kubectl("get", "nodes", "--output=jsonpath={.items[0].metadata.name}");
  const answer = await kubectl("get", "--raw", `/api/v1/nodes/${node}/proxy/configz`);
  const { kubeletconfig } = JSON.parse(answer) as { kubeletconfig: KubeletLogSettings };
  return kubeletconfig;
}

/** How many bytes of a log are never removed: no file is rotated before it has its size, and one of them is the current. */
export function keptBytes({ containerLogMaxSize, containerLogMaxFiles }: KubeletLogSettings): number {
  const [, size, unit] = /^(\d+)(Ki|Mi|Gi)$/.exec(containerLogMaxSize) ?? [];
  const factor = UNITS.get(unit ?? "");
  if (factor === undefined) throw new Error(`containerLogMaxSize is ${containerLogMaxSize}`);
  return Number(size) * factor * (containerLogMaxFiles - 1);
}
