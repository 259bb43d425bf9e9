/** Headers of WAV files: RIFF, `fmt ` and `data`, 44 bytes in all. */

export const wavHeaderBytes = 44;
/** A sample of both channels. */
export const wavFrameBytes = 4;
/** Sizes have 32 bits, and the RIFF size counts what stands before the data, too. */
export const longestWav = Math.floor((0xffffffff - (wavHeaderBytes - 8)) / wavFrameBytes);

const rate = 8000;
const channels = 2;
const pcm = 1;

/** PCM, stereo, 16 bit, 8 kHz. `frames`: samples per channel. */
export function wavHeader(frames: number): Buffer {
  const header = Buffer.alloc(wavHeaderBytes);
  const size = frames * wavFrameBytes;
  header.write("RIFF", 0, "latin1");
  header.writeUInt32LE(wavHeaderBytes - 8 + size, 4);
  header.write("WAVEfmt ", 8, "latin1");
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(pcm, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * wavFrameBytes, 28);
  header.writeUInt16LE(wavFrameBytes, 32);
  header.writeUInt16LE((wavFrameBytes / channels) * 8, 34);
  header.write("data", 36, "latin1");
  header.writeUInt32LE(size, 40);
  return header;
}
