/** Makes the file that `beat` starts with. */
export declare const bootstrap: (digests: Readonly<Record<string, string>>, version: string) => Promise<string>
