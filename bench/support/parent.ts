import { once } from "node:events";

/** What the bench that started this process asks of it. */
export function readRequest(): unknown {
  // Without the bench there is nothing to do any more.
  process.on("disconnect", () => process.exit());
  return JSON.parse(process.argv[2]!);
}

export async function tellParent(message: object): Promise<void> {
  await new Promise<void>((resolve, reject) =>
    process.send!(message, undefined, undefined, (error) => (error === null ? resolve() : reject(error))),
  );
}

/** The bench's next message. */
export async function nextFromParent<Message>(): Promise<Message> {
  const [message] = (await once(process, "message")) as [Message];
  return message;
}
