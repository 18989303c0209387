/**
 * Steps in which a person clicks and types no more than a screen promises.
 *
 * A step that does something by a function counts as a click: it chooses a file.
 *
 * @param {{ clicks: number, fields: number }} budget how many clicks and typed fields
 * @param {Object[]} steps of a tour
 * @returns {Object[]} the steps
 * @throws {Error} when they are more
 */
export function within({ clicks, fields }, steps) {
    const runs = steps.map((step) => step.run).filter(Boolean);
    const clicked = runs.filter((run) => run === "click" || typeof run === "function").length;
    const typed = runs.filter((run) => `${run}`.startsWith("edit ")).length;
    if (clicked > clicks || typed > fields || clicked + typed < runs.length) {
        throw new Error(`${clicked} clicks of ${clicks}, ${typed} fields of ${fields}`);
    }
    return steps;
}
