// Mark the link of the table of contents whose part of the text is being read.

const TOP = "-80px 0px -65% 0px"; // below the header, and not yet at the lower two thirds

export function toc(list) {
  const links = new Map();
  for (const link of list.querySelectorAll("a[href^='#']")) {
    const heading = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (heading) {
      links.set(heading, link);
    }
  }
  const seen = new IntersectionObserver(
    (entries) => {
      const first = entries.find((entry) => entry.isIntersecting);
      if (!first) {
        return;
      }
      for (const link of links.values()) {
        link.removeAttribute("aria-current");
      }
      links.get(first.target).setAttribute("aria-current", "true");
    },
    { rootMargin: TOP },
  );
  for (const heading of links.keys()) {
    seen.observe(heading);
  }
}
