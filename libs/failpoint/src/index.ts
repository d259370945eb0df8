export { defineFailpoints, failpoint, FailpointError, type FailpointProject } from './failpoint.js';
export { parseFailpoints, type ArmedFailpoint, type FailpointAction } from './parse-failpoints.js';
