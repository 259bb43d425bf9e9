/** The head of a WAV file as all of ours have it: `RIFF`, `fmt ` and `data` (Microsoft and IBM, 1991), PCM of 16 bit at 8 kHz. */

export const wavHeaderBytes = 44;
export const wavRate = 8000;
/** Beyond it a size has no room: players then read to the end of the file. */
export const maxWavSize = 0xffff_ffff;

const sampleBytes = 2;
const pcm = 1;

/** @param bytes of all samples */
export function wavHeader(channels: 1 | 2, bytes: number): Buffer {
  const frameBytes = channels * sampleBytes;
  const header = Buffer.alloc(wavHeaderBytes);
  header.write("RIFF", 0, "latin1");
  header.writeUInt32LE(Math.min(wavHeaderBytes - 8 + bytes, maxWavSize), 4);
  header.write("WAVEfmt ", 8, "latin1");
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(pcm, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(wavRate, 24);
  header.writeUInt32LE(wavRate * frameBytes, 28);
  header.writeUInt16LE(frameBytes, 32);
  header.writeUInt16LE(sampleBytes * 8, 34);
  header.write("data", 36, "latin1");
  header.writeUInt32LE(Math.min(bytes, maxWavSize), 40);
  return header;
}
