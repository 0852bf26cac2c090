/** Whether what lies here may be published: changesets never look, and would send out a working tree with changes, or a package that never got a version. */

import { waitingChangesets } from './candidate.ts';
import { libraries, run } from './workspace.ts';

/** What has to be done before a release. @returns Complaints, none when all is well. */
export async function releaseComplaints(root: string): Promise<string[]> {
  const complaints: string[] = [];
  const waiting = await waitingChangesets(root);
  if (waiting.length > 0) complaints.push(`changesets wait: ${waiting.join(', ')}; \`pnpm version-packages\` turns them into versions, for review`);
  const unversioned = (await libraries(root)).filter(({ manifest }) => manifest.version === '0.0.0');
  if (unversioned.length > 0) complaints.push(`there is no version yet of ${unversioned.map(({ name }) => name).join(', ')}; a changeset makes one`);
  const changes = await run(root, ['git', 'status', '--porcelain']);
  if (changes !== '') complaints.push(`the working tree has changes that are in no commit:\n${changes}`);
  return complaints;
}
