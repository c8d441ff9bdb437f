/**
 * Members of the consumer group: what each tells the others when it joins, and which partitions each gets.
 *
 * What they tell is JSON in the user data of their metadata. kafkajs keeps a member's first metadata through all its
 * joins unless it is asked anew, and gives a member that was away too long another id: so a member says under which
 * id it was known, and one that is known under another id now has been away. It asks like a newcomer, or a bridge
 * that wakes up would take the group back from the one that stood in for it.
 */
import { AssignerProtocol, type GroupDescription, type PartitionAssigner } from 'kafkajs';
import type { Announcement, GroupView } from '../port.ts';

const { MemberAssignment, MemberMetadata } = AssignerProtocol;
const VERSION = 0;

const MOST_URLS = 8;
const MOST_URL_CHARACTERS = 256;

/**
 * - `one`: every partition to one member, the others stand by; for senders that spread a file over all partitions
 * - `spread`: to every member its share
 */
export type Sharing = 'one' | 'spread';

/** Members of different sharing cannot be in one group: the broker refuses the second. */
const PROTOCOLS: Readonly<Record<Sharing, string>> = {
  one: 'haloscope-one-owner',
  spread: 'haloscope-scale-out',
};

/** A member as the leader of the group sees it. */
export interface Member {
  readonly id: string;
  /** When it began to ask, Unix milliseconds; infinite where it has been away. */
  readonly sinceMs: number;
  /** What it has held without interruption. */
  readonly holds: readonly number[];
}

interface Told extends Announcement {
  readonly knownAs: string;
  readonly sinceMs: number;
  readonly holds: readonly number[];
}

const NOTHING_TOLD: Told = {
  knownAs: '',
  sinceMs: Number.POSITIVE_INFINITY,
  holds: [],
  urls: [],
  machine: '',
};

/** This bridge's own membership, through all joins of one consumer. */
export class Membership {
  readonly #announce: () => Announcement;
  #knownAs = '';
  #sinceMs = Date.now();
  #holds: readonly number[] = [];

  constructor(announce: () => Announcement) {
    this.#announce = announce;
  }

  joined(memberId: string, partitions: readonly number[]): void {
    if (this.#knownAs !== '' && this.#knownAs !== memberId) this.#sinceMs = Date.now();
    this.#knownAs = memberId;
    this.#holds = partitions;
  }

  assigner(sharing: Sharing): PartitionAssigner {
    return ({ cluster }) => ({
      name: PROTOCOLS[sharing],
      version: VERSION,
      protocol: ({ topics }) => ({
        name: PROTOCOLS[sharing],
        metadata: MemberMetadata.encode({ version: VERSION, topics, userData: this.#tell() }),
      }),
      assign: async ({ members, topics: [topic = ''] }) => {
        const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
        const shares = shareOut(
          sharing,
          members.map(({ memberId, memberMetadata }) => memberOf(memberId, toldIn(memberMetadata))),
          partitions.sort((a, b) => a - b),
        );
        return members.map(({ memberId }) => ({
          memberId,
          memberAssignment: MemberAssignment.encode({
            version: VERSION,
            assignment: { [topic]: [...(shares.get(memberId) ?? [])] },
            userData: Buffer.alloc(0),
          }),
        }));
      },
    });
  }

  /** The group as its coordinator describes it; null while it assigns anew. */
  view({ state, members }: GroupDescription, topic: string): GroupView | null {
    if (state !== 'Stable') return null;
    const known = members.map(({ memberId, memberMetadata, memberAssignment }) => ({
      memberId,
      told: toldIn(memberMetadata),
      partitions: partitionsIn(memberAssignment, topic),
    }));
    return {
      partitions: this.#holds,
      peers: known
        .filter(({ memberId }) => memberId !== this.#knownAs)
        .map(({ told: { urls, machine }, partitions }) => ({ urls, machine, partitions })),
    };
  }

  #tell(): Buffer {
    const { urls, machine } = this.#announce();
    const told: Told = { knownAs: this.#knownAs, sinceMs: this.#sinceMs, holds: this.#holds, urls, machine };
    return Buffer.from(JSON.stringify(told));
  }
}

/** Who gets what, by member. Whoever holds a partition keeps it as far as that is fair. */
export function shareOut(
  sharing: Sharing,
  members: readonly Member[],
  partitions: readonly number[],
): ReadonlyMap<string, readonly number[]> {
  const ranked = members.toSorted(
    (a, b) => b.holds.length - a.holds.length || compare(a.sinceMs, b.sinceMs) || (a.id < b.id ? -1 : 1),
  );
  const takers = sharing === 'one' ? ranked.slice(0, 1) : ranked;
  const quota = (rank: number): number =>
    Math.floor(partitions.length / takers.length) + (rank < partitions.length % takers.length ? 1 : 0);
  const free = new Set(partitions);
  const shares = new Map<string, number[]>();
  for (const [rank, { id, holds }] of takers.entries()) {
    const kept = holds.filter((partition) => free.has(partition)).slice(0, quota(rank));
    for (const partition of kept) free.delete(partition);
    shares.set(id, kept);
  }
  for (const [rank, { id }] of takers.entries()) {
    const share = shares.get(id) ?? [];
    for (const partition of [...free].slice(0, quota(rank) - share.length)) {
      free.delete(partition);
      share.push(partition);
    }
  }
  return shares;
}

/** Infinities compare as equal. */
const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);

function memberOf(id: string, { knownAs, sinceMs, holds }: Told): Member {
  if (knownAs === '' || knownAs === id) return { id, sinceMs, holds: knownAs === '' ? [] : holds };
  return { id, sinceMs: Number.POSITIVE_INFINITY, holds: [] };
}

/** Members of other programs, or of other versions, tell nothing that we understand. */
function toldIn(metadata: Buffer): Told {
  try {
    const text = MemberMetadata.decode(metadata)?.userData.toString() ?? '';
    const { knownAs, sinceMs, holds, urls, machine } = JSON.parse(text) as Partial<
      Record<keyof Told, unknown>
    >;
    return {
      knownAs: typeof knownAs === 'string' ? knownAs : '',
      sinceMs: typeof sinceMs === 'number' ? sinceMs : Number.POSITIVE_INFINITY,
      holds: Array.isArray(holds) ? holds.filter((each) => Number.isInteger(each)) : [],
      urls: Array.isArray(urls) ? urls.filter(isHttpUrl).slice(0, MOST_URLS) : [],
      machine: typeof machine === 'string' ? machine : '',
    };
  } catch {
    return NOTHING_TOLD;
  }
}

const isHttpUrl = (value: unknown): value is string =>
  typeof value === 'string' &&
  value.length <= MOST_URL_CHARACTERS &&
  URL.canParse(value) &&
  /^https?:$/.test(new URL(value).protocol);

/** None while the group is not settled, when assignments are empty. */
function partitionsIn(assignment: Buffer, topic: string): readonly number[] {
  try {
    return MemberAssignment.decode(assignment)?.assignment[topic] ?? [];
  } catch {
    return [];
  }
}
