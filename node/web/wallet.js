// Fills the forms of signing in from the wallet of the browser, where there is one. Every form works without it.
"use strict";

(() => {
  const wallet = window.ethereum;
  if (!wallet || typeof wallet.request !== "function") return;

  const ask = (method, params) => wallet.request({ method, params });

  const fillAddress = async (form) => {
    const [address] = await ask("eth_requestAccounts");
    const chain = await ask("eth_chainId");
    form.elements.namedItem("address").value = address;
    form.elements.namedItem("chain_id").value = String(parseInt(chain, 16));
  };

  const fillSignature = async (form) => {
    const text = document.getElementById("text").textContent;
    const bytes = new TextEncoder().encode(text);
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const signature = await ask("personal_sign", [`0x${hex}`, form.dataset.address]);
    form.elements.namedItem("signature").value = signature;
  };

  const steps = { ask: fillAddress, sign: fillSignature };
  for (const form of document.querySelectorAll("form[data-wallet]")) {
    const button = form.querySelector("[data-wallet-button]");
    const status = form.querySelector("[data-wallet-status]");
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await steps[form.dataset.wallet](form);
        form.requestSubmit();
      } catch (error) {
        status.textContent = `The wallet refused: ${error && error.message ? error.message : error}`;
      }
    });
  }
})();
