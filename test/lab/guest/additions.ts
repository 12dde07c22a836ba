export function openAdditions() {
  return {
    async add(what: string): Promise<number> {
      throw new Error(what);
    },
    async remove(id: number): Promise<void> {
      throw new Error(String(id));
    },
  };
}
