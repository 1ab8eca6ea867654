/** The condition on `merges` of a merge that has not ended: in the words of the index `merges_open`, which serves no others. */
export const openMerge = "state IN ('testing', 'applying', 'undoing')"
