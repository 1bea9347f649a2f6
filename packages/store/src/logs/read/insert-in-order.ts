/** Puts an item behind all that come before it, in a list that is in order. */
export function insertInOrder<Item>(list: Item[], item: Item, comesBefore: (a: Item, b: Item) => boolean): void {
  let at = 0;
  while (at < list.length && comesBefore(list[at]!, item)) at += 1;
  list.splice(at, 0, item);
}
