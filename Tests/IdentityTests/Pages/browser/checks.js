// What is wrong with the page that is open, beyond what axe finds. Returns a list of sentences.
async (language, smallest) => {
    const faults = [];
    const require = (holds, fault) => { if (!holds) faults.push(fault); };
    const all = (selector) => [...document.querySelectorAll(selector)];
    // The browser moves the focus a moment after the page is there.
    const becomesFocused = async (node) => {
        for (let turn = 0; turn < 100 && document.activeElement !== node; turn++) await new Promise((go) => setTimeout(go, 50));
        return document.activeElement === node;
    };
    const words = (node) => (node.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean);

    require(document.documentElement.lang === language, `lang is ${document.documentElement.lang}`);
    require(all("h1").length === 1 && all("main").length === 1, "not one h1 and one main");
    const heading = document.querySelector("h1").textContent.trim();
    const alert = document.querySelector("[role=alert]");
    const prefix = { en: "Error: ", de: "Fehler: " }[language];
    require(document.title === `${alert ? prefix : ""}${heading} – Florin`, `the title is ${document.title}`);
    require(!document.body.textContent.includes("{{"), "a tag of mustache is left");
    require(all("script, iframe, object, embed, [style]").length === 0, "something that the policy forbids");
    require(all("*").every((node) => [...node.attributes].every((a) => !a.name.startsWith("on"))), "a script in an attribute");
    require(all("link, img, source").every((node) => (node.href ?? node.src).startsWith("data:")), "something from elsewhere");

    for (const form of all("form")) {
        require(form.method === "post" && new URL(form.action).origin === location.origin, "a form that is not posted to us");
        require(form.querySelector("input[type=hidden][name=csrf]")?.value, "a form without its token");
        const password = form.querySelector("input[type=password]");
        const user = form.querySelector("input[autocomplete=username]");
        if (password) require(user && user.type !== "hidden" && user.checkVisibility(), "a password without its user name");
    }
    for (const input of all("input:not([type=hidden])")) {
        require(document.querySelector(`label[for="${input.id}"]`)?.textContent.trim(), `${input.id} without a label`);
        require(!input.hasAttribute("maxlength"), `${input.id} cuts off what is pasted`);
        for (const id of words(input)) require(document.getElementById(id), `${input.id} is described by nothing`);
    }
    for (const input of all("input[type=password]")) {
        require(/^(current|new)-password$/.test(input.autocomplete), `a password as ${input.autocomplete}`);
        require(!input.hasAttribute("value"), "a password in the page");
    }
    for (const input of all("input[name=email]")) {
        require(input.type === "email" && input.autocomplete === "username", "an address that is none");
        require(input.getAttribute("autocapitalize") === "none", "an address with capitals");
    }
    for (const input of all("input[name=code]")) {
        const isDigits = input.autocomplete === "one-time-code" && input.inputMode === "numeric";
        require(input.type === "text" && (isDigits || input.autocomplete === "off"), "a code that is none");
    }
    const invalid = all("[aria-invalid=true]");
    require(invalid.length <= 1 && (!invalid.length || alert), "a fault that is not said");
    for (const input of invalid) {
        require(words(input).includes(alert.id), `${input.id} does not lead to its fault`);
        require(await becomesFocused(input), `${input.id} is at fault and has no focus`);
    }
    const first = all("input:not([type=hidden]):not([readonly])").find((input) => !input.value);
    if (first && !alert) require(await becomesFocused(first), `${first.id} is to be filled in first and has no focus`);
    require(document.documentElement.scrollWidth <= innerWidth, `${document.documentElement.scrollWidth} wide on ${innerWidth}`);
    for (const node of all("button, a.button, input:not([type=hidden]), .links a, .beside a")) {
        const box = node.getBoundingClientRect();
        require(box.width >= smallest && box.height >= smallest, `${node.textContent.trim() || node.id}: ${box.width} x ${box.height}`);
    }
    return faults;
}
