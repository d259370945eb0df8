import { describeGroups } from './testing/suite/groups/describe-groups.js';

describeGroups('groups of containers on version 2');
