import type { Disk } from './disk.js';

/** What QEMU is told about a machine. */
export interface MachineHardware {
  readonly kernelImage: string;
  /** Socket of virtiofsd. */
  readonly filesSocket: string;
  /** File that the serial console is written to. */
  readonly consoleFile: string;
  /** In order: /dev/vda, /dev/vdb, … */
  readonly disks: readonly Disk[];
  readonly memoryMebibytes: number;
  readonly cpus: number;
}

const KERNEL_WORDS = [
  'console=ttyS0',
  'quiet',
  // A panic resets the machine at once, which ends QEMU.
  'panic=-1',
  // Nobody attacks it, and both cost time where every instruction is translated.
  'mitigations=off',
  'init_on_alloc=0',
  'root=lab',
  'rootfstype=virtiofs',
  'rw',
  'init=/mnt/share/run/init',
];

/**
 * Words for qemu-system-x86_64 (qemu-system-x86_64(1)). TCG and not KVM: what is tested must not depend on
 * whether the host lends its processor. q35 and not microvm, which was seen to hang in a reset.
 */
export function qemuArguments(hardware: MachineHardware): string[] {
  const { memoryMebibytes, cpus, kernelImage, filesSocket, consoleFile } = hardware;
  return [
    ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', String(cpus)],
    // virtiofsd reads and writes the machine's memory itself.
    ...['-object', `memory-backend-memfd,id=memory,size=${memoryMebibytes}M,share=on`],
    ...['-M', 'q35,memory-backend=memory', '-m', String(memoryMebibytes)],
    ...['-nodefaults', '-nographic', '-no-reboot', '-monitor', 'none'],
    ...['-serial', `file:${consoleFile}`, '-device', 'virtio-rng-pci'],
    ...['-chardev', `socket,id=files,path=${filesSocket}`],
    ...['-device', 'vhost-user-fs-pci,chardev=files,tag=lab'],
    ...hardware.disks.flatMap(diskArguments),
    ...['-kernel', kernelImage, '-append', KERNEL_WORDS.join(' ')],
  ];
}

function diskArguments({ file, cache }: Disk, index: number): string[] {
  // A comma in a value is written twice.
  const path = file.replaceAll(',', ',,');
  return [
    ...['-drive', `if=none,id=disk${index},format=raw,discard=unmap,cache=${cache},file=${path}`],
    ...['-device', `virtio-blk-pci,drive=disk${index}`],
  ];
}
