/** Who gets which partition, and who does not get them back. */
import { AssignerProtocol, type GroupMember } from 'kafkajs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Member, Membership, shareOut, type Sharing } from '../../bridge/log/kafka/members.ts';

const { MemberAssignment, MemberMetadata } = AssignerProtocol;
const TOPIC = 'chunk_data';
const PARTITIONS = [0, 1, 2, 3];

const member = (id: string, sinceMs: number, holds: readonly number[] = []): Member => ({
  id,
  sinceMs,
  holds,
});
const shares = (sharing: Sharing, ...members: Member[]) =>
  Object.fromEntries(shareOut(sharing, members, PARTITIONS));

/** The assigner as kafkajs makes it. */
function assignerOf(membership: Membership, sharing: Sharing = 'one') {
  const cluster = { findTopicPartitionMetadata: () => PARTITIONS.map((partitionId) => ({ partitionId })) };
  return membership.assigner(sharing)({ cluster } as never);
}

const metadataOf = (membership: Membership): Buffer =>
  assignerOf(membership).protocol({ topics: [TOPIC] }).metadata;

async function assignedTo(memberId: string, members: readonly GroupMember[]): Promise<number[]> {
  const leader = assignerOf(new Membership(() => ({ urls: [], machine: '' })));
  const all = await leader.assign({ members: [...members], topics: [TOPIC] });
  const own = all.find((each) => each.memberId === memberId);
  return MemberAssignment.decode(own?.memberAssignment ?? Buffer.alloc(0))?.assignment[TOPIC] ?? [];
}

const membership = (urls: readonly string[] = []): Membership =>
  new Membership(() => ({ urls, machine: 'm' }));

test('one owner: whoever has everything keeps it, whatever the clocks of others say', () => {
  expect(shares('one', member('a', 200), member('b', 100))).toEqual({ b: PARTITIONS });
  expect(shares('one', member('a', 200, PARTITIONS), member('b', 100))).toEqual({ a: PARTITIONS });
});

test('a member that was away asks like the last newcomer', async () => {
  const [owner, standby] = [membership(), membership()];
  owner.joined('owner-1', PARTITIONS);
  standby.joined('standby-1', []);
  const as = (memberId: string, who: Membership): GroupMember => ({
    memberId,
    memberMetadata: metadataOf(who),
  });
  expect(await assignedTo('owner-1', [as('owner-1', owner), as('standby-1', standby)])).toEqual(PARTITIONS);
  // The owner slept, the standby took over, and the owner comes back under another id.
  standby.joined('standby-1', PARTITIONS);
  const woken = [as('owner-2', owner), as('standby-1', standby)];
  expect(await assignedTo('standby-1', woken)).toEqual(PARTITIONS);
  expect(await assignedTo('owner-2', woken)).toEqual([]);
  // Also where the standby has nothing yet, and at every later join.
  const early = membership();
  early.joined('early-1', []);
  expect(await assignedTo('early-1', [as('owner-2', owner), as('early-1', early)])).toEqual(PARTITIONS);
  owner.joined('owner-2', []);
  expect(await assignedTo('early-1', [as('owner-2', owner), as('early-1', early)])).toEqual(PARTITIONS);
});

test('members of other programs get nothing while there is one that we understand', async () => {
  const known: GroupMember = { memberId: 'z', memberMetadata: metadataOf(membership()) };
  const texts = ['', '17', 'null', '{"holds":"all"}', '{"sinceMs":"1","holds":[0,1,2,3]}', '\u0000'];
  for (const [i, text] of texts.entries()) {
    const userData = Buffer.from(text);
    const odd = {
      memberId: `a${i}`,
      memberMetadata: MemberMetadata.encode({ version: 0, topics: [TOPIC], userData }),
    };
    expect(await assignedTo('z', [odd, known])).toEqual(PARTITIONS);
  }
  expect(await assignedTo('z', [{ memberId: 'a', memberMetadata: Buffer.alloc(1) }, known])).toEqual(
    PARTITIONS,
  );
});

test('scale-out: a newcomer gets its share, and the others keep theirs', () => {
  expect(shares('spread', member('a', 1, PARTITIONS), member('b', 2))).toEqual({ a: [0, 1], b: [2, 3] });
  expect(shares('spread', member('c', 3), member('a', 1, [0, 1]), member('b', 2, [2, 3]))).toEqual({
    a: [0, 1],
    b: [2],
    c: [3],
  });
  expect(shares('spread', member('b', 2, [2, 3]))).toEqual({ b: [2, 3, 0, 1] });
});

test('scale-out: every partition has one owner, shares differ by one at most, nothing moves without need', () => {
  const holds = fc.uniqueArray(fc.nat(11), { maxLength: 12 });
  const any = fc.uniqueArray(fc.record({ id: fc.string(), sinceMs: fc.nat(9), holds }), {
    minLength: 1,
    maxLength: 6,
    selector: ({ id }) => id,
  });
  fc.assert(
    fc.property(any, fc.integer({ min: 1, max: 12 }), (members, count) => {
      const partitions = Array.from({ length: count }, (_, p) => p);
      const given = shareOut('spread', members, partitions);
      expect([...given.values()].flat().toSorted((a, b) => a - b)).toEqual(partitions);
      const sizes = members.map(({ id }) => given.get(id)?.length ?? 0);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      // Once settled, the same question has the same answer.
      const settled = members.map(({ id, sinceMs }) => ({ id, sinceMs, holds: given.get(id) ?? [] }));
      const again = shareOut('spread', settled, partitions);
      for (const { id } of members) expect(new Set(again.get(id))).toEqual(new Set(given.get(id)));
    }),
  );
});

test('the view of the group has the addresses and partitions of the others', () => {
  const [own, other] = [
    membership(['http://a:1/']),
    membership(['https://b:1/', 'javascript:alert(1)', 'x']),
  ];
  own.joined('a', PARTITIONS);
  other.joined('b', []);
  const assignment = MemberAssignment.encode({
    version: 0,
    assignment: { [TOPIC]: PARTITIONS },
    userData: Buffer.alloc(0),
  });
  const describe = (memberId: string, who: Membership, memberAssignment: Buffer) => ({
    memberId,
    memberMetadata: metadataOf(who),
    memberAssignment,
    clientHost: '',
    clientId: '',
  });
  const group = { groupId: 'g', protocol: 'p', protocolType: 'consumer', errorCode: 0 } as const;
  const members = [describe('a', own, assignment), describe('b', other, Buffer.alloc(0))];
  expect(own.view({ ...group, state: 'Stable', members }, TOPIC)).toEqual({
    partitions: PARTITIONS,
    peers: [{ urls: ['https://b:1/'], machine: 'm', partitions: [] }],
  });
  expect(other.view({ ...group, state: 'Stable', members }, TOPIC)?.peers).toEqual([
    { urls: ['http://a:1/'], machine: 'm', partitions: PARTITIONS },
  ]);
  expect(own.view({ ...group, state: 'PreparingRebalance', members }, TOPIC)).toBeNull();
});
