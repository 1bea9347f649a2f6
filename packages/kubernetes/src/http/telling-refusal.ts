import type { Credentials, Endpoint } from "../credentials.ts";
import type { OnHead } from "./get.ts";

/** Says so to the credentials when they were refused: the next request has new ones. */
export function tellingRefusal(credentials: Credentials, { generation }: Endpoint, onHead: OnHead): OnHead {
  return (head) => {
    if (head.status === 401) credentials.refused(generation);
    return onHead(head);
  };
}
