// @ts-check

/**
 * Lets the arrow keys move between tiles; Home and End go to the first and the last.
 * @param {HTMLElement} wall
 */
export function walkByArrows(wall) {
  wall.addEventListener('keydown', (event) => {
    const buttons = [...wall.querySelectorAll('button')];
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (event.target));
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const columns = Number(getComputedStyle(wall).getPropertyValue('--columns')) || 1;
    const to = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at - columns,
      ArrowDown: at + columns,
      Home: 0,
      End: buttons.length - 1,
    }[event.key];
    const next = to === undefined ? undefined : buttons[to];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}
