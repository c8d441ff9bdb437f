/**
 * Assigns every partition to one member of the group: the one that joined first. A file may be spread over all
 * partitions, so only a bridge that reads all of them can complete it; any other of the group stands by.
 */

import { AssignerProtocol, type PartitionAssigner } from 'kafkajs';

const { MemberAssignment, MemberMetadata } = AssignerProtocol;
const NAME = 'haloscope-one-owner';
const VERSION = 0;

/** @param sinceMs when the member began to ask, in Unix milliseconds */
export function oneOwner(sinceMs: number): PartitionAssigner {
  return ({ cluster }) => ({
    name: NAME,
    version: VERSION,
    protocol: ({ topics }) => ({
      name: NAME,
      metadata: MemberMetadata.encode({ version: VERSION, topics, userData: Buffer.from(String(sinceMs)) }),
    }),
    assign: async ({ members, topics }) => {
      const asked = members.map(({ memberId, memberMetadata }) => ({
        memberId,
        since: Number(MemberMetadata.decode(memberMetadata)?.userData.toString() ?? Number.POSITIVE_INFINITY),
      }));
      const [owner] = asked.sort((a, b) => a.since - b.since || (a.memberId < b.memberId ? -1 : 1));
      const everything = Object.fromEntries(
        topics.map((topic) => [topic, cluster.findTopicPartitionMetadata(topic).map((p) => p.partitionId)]),
      );
      return members.map(({ memberId }) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({
          version: VERSION,
          assignment: memberId === owner?.memberId ? everything : {},
          userData: Buffer.alloc(0),
        }),
      }));
    },
  });
}
