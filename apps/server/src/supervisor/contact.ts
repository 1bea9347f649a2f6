/** Since when a server has been in touch with its database without a break, in milliseconds by the database's clock. */
export interface Contact {
  since: number;
  last: number;
}

/** An outage that is shorter lets no lease run out: each is renewed at least every third of its time. */
const BREAK = 2 / 3;

/** The holder of a lease renews it within this part of its time once the database is back. */
const GRACE = 1 / 2;

/** @param clock - the database's time now */
export function keepContact(contact: Contact | null, clock: number, leaseMs: number): Contact {
  const unbroken = contact !== null && clock - contact.last <= leaseMs * BREAK;
  return { since: unbroken ? contact.since : clock, last: clock };
}

/**
 * Until when, by the database's clock, leases that have run out may be taken from others; null for not now.
 *
 * While the database was away nobody could renew a lease, and what its holder has read meanwhile is on the holder's disk:
 * it goes first. So nothing is taken for a while after a break, and nothing by a statement that was held up by one.
 */
export function takeOverUntil({ since, last }: Contact, leaseMs: number): Date | null {
  return last - since < leaseMs * GRACE ? null : new Date(last + leaseMs * BREAK);
}
