import type { Command } from '../command.js';
import { commandGroup } from '../command-group.js';
import { editBase } from './image/edit-base.js';
import { imageEdits } from './image/edits.js';
import { imageInspect } from './image/inspect.js';
import { prune } from './image/prune.js';
import { imageReferrers } from './image/referrers.js';
import { imageTags } from './image/tags.js';
import { undoUpgrade } from './image/undo-upgrade.js';
import { upgradeBase } from './image/upgrade-base.js';
import { imageUpgrades } from './image/upgrades.js';
import { imageUsage } from './image/usage.js';
import { imageVerify } from './image/verify.js';
import { history } from './history.js';
import { importTree } from './import.js';
import { images } from './images.js';
import { load } from './load.js';
import { pull } from './pull.js';
import { push } from './push.js';
import { rmi } from './rmi.js';
import { save } from './save.js';
import { tag } from './tag.js';

/** Docker has two words for some commands; the long one is the short one by another name. */
const alias = (command: Command, name: string): Command => ({ ...command, name });

export const image: Command = commandGroup({
  name: 'image',
  group: 'images',
  summary:
    'Upgrade a base for all that stands on it; look at, verify and prune what is stored; also images, load, save, tag, rmi',
  subcommands: [
    ...[upgradeBase, undoUpgrade, imageUpgrades, editBase, imageEdits],
    ...[alias(images, 'image ls'), alias(load, 'image load'), alias(save, 'image save')],
    ...[alias(tag, 'image tag'), alias(rmi, 'image rm'), alias(history, 'image history')],
    ...[alias(pull, 'image pull'), alias(push, 'image push'), imageTags, imageReferrers],
    ...[alias(importTree, 'image import'), imageInspect, prune, imageVerify, imageUsage],
  ],
});
