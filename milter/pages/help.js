// The reader's own address, from the link in the reply (?ip=...), in the place of the example. The
// browser says whether it is an IPv6 address, and writes it as RFC 5952 does.
(() => {
  "use strict";
  const given = new URLSearchParams(location.search).get("ip") || "";
  if (!/^[0-9a-f:.]{2,45}$/i.test(given)) return;
  let client;
  try {
    client = new URL(`http://[${given}]/`).hostname.slice(1, -1);
  } catch {
    return;
  }
  const [before, after] = client.split("::").map((part) => (part === "" ? [] : part.split(":")));
  const zeros = after === undefined ? [] : Array(8 - before.length - after.length).fill("0");
  const digits = [...before, ...zeros, ...(after || [])].map((group) => group.padStart(4, "0")).join("");
  const values = { client, reverse: [...digits].reverse().join(".") + ".ip6.arpa." };
  for (const element of document.querySelectorAll("[data-fill]")) {
    element.textContent = values[element.dataset.fill];
  }
  document.getElementById("example").hidden = true;
  document.getElementById("yours").hidden = false;
})();
