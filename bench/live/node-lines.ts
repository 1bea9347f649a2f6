import type { CoreV1Api } from "@kubernetes/client-node";

/** Counts the lines in a container's file on its node, which was not rotated, without any of our code. */
export async function countNodeLines(
  core: CoreV1Api,
  { namespace, pod, container }: { namespace: string; pod: string; container: string },
): Promise<number> {
  const { metadata, spec } = await core.readNamespacedPod({ name: pod, namespace });
  const path = `logs/pods/${namespace}_${pod}_${metadata!.uid}/${container}/0.log`;
  const file = await core.connectGetNodeProxyWithPath({ name: spec!.nodeName!, path });
  let lines = 0;
  /** Of stdout and stderr: true while a line has begun and not ended. */
  const open = new Map<string, boolean>();
  for (const [, stream, tag] of file.matchAll(/^\S+ (stdout|stderr) ([PF]) /gm)) {
    if (tag === "F") lines += 1;
    open.set(stream!, tag === "P");
  }
  return lines + Array.from(open.values()).filter((begun) => begun).length;
}
