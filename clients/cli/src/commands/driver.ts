import type { Command } from '../command.js';
import { driverAdd } from './driver/add.js';
import { driverCheck } from './driver/check.js';
import { driverDefault } from './driver/default.js';
import { driverDf } from './driver/df.js';
import { driverLs } from './driver/ls.js';
import { driverRepair } from './driver/repair.js';
import { driverRm } from './driver/rm.js';
import { driverServe } from './driver/serve.js';
import { commandGroup } from '../command-group.js';

export const driver: Command = commandGroup({
  name: 'driver',
  group: 'engine',
  summary: 'Look at storage drivers, add and remove them',
  subcommands: [
    ...[driverLs, driverAdd, driverRm, driverDefault],
    ...[driverDf, driverCheck, driverRepair, driverServe],
  ],
});
