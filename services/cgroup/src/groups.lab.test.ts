import { describeGroups } from './testing/groups/describe-groups.js';

describeGroups('groups of containers on version 2');
