/** What clients are told; the whole engine has one version. */
export const VERSION = '0.1.0';
