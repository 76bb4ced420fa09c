"""Orders to a model in English: patterns over folded text, by kind. `detector` tries them."""

from __future__ import annotations

from collections.abc import Mapping

# Who is addressed. Honest posts name products all the time, so a product counts only where it is spoken to.
_ROLE = (
    r"(?:ai|a\.i\.|artificial intelligence|(?:ai|virtual|search|digital|helpful)?[ -]?assistants?(?! (?:manager"
    r"|professor"
    r"|coach|teacher|director|editor|referee|store|cook|chef|nurse|driver))|(?:large )?language models?|llms?"
    r"|chat ?bots?"
    r"|ai (?:models?|agents?|systems?|search)|(?:answer|answering|search) (?:engine|bot|model|system)s?"
    r"|summari[sz]ers?)"
)
_PRODUCT = r"(?:chat ?gpt|gpt(?:-?\d\w*)?|claude|gemini|deepseek|qwen|llama|copilot|grok|stipple|smollm\d?)"
_MODEL = rf"(?:{_ROLE}|{_PRODUCT})"
# Where an order may begin.
_HEAD = (
    r"(?:^|[\n.!?:;,\"'“‘(\[{*>—–-]\s*|\b(?:please|must|should|shall|now|then|always|only|just|instead|kindly|simply"
    r"|you (?:will|can|are to|have to|need to)|and|but)\s+)"
)
# The same, where "they only" and "we always" must not pass for one.
_START = (
    r"(?:^|[\n.!?:;,\"'“‘(\[{*>—–-]\s*|\b(?:please|must|should|shall|now|instead|kindly|simply"
    r"|you (?:will|can|are to|have to|need to))\s+)"
)
_EARLIER = r"(?:previous|prior|preceding|earlier|above|foregoing|existing|original|initial|system|your|former|past)"
_ORDERS = r"(?:instructions?|prompts?|directives?|guidelines?|guardrails?|programming|system messages?|orders|commands)"
_DISOBEY = (
    r"(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|ing)|bypass|overlook|discard|neglect|abandon"
    r"|pay no (?:attention|heed) to|stop (?:following|obeying)|(?:do not|don'?t|never) (?:follow|obey|listen to|heed)"
    r"|instead of (?:following|obeying)|set aside|erase|violate|unlearn)"
)
_REPLIES = r"(?:answers?|repl(?:y|ies)|responses?|outputs?|summar(?:y|ies)|completions?)"
_LANGUAGE = (
    r"(?:french|german|spanish|italian|portuguese|russian|japanese|korean|chinese|english|latin|arabic|klingon|dutch"
    r"|esperanto|emojis?|json|xml|html|markdown|yaml|base64|morse|leet(?:speak)?|rhymes?|verse|haikus?|pig latin"
    r"|(?:all )?(?:caps|capitals|capital letters|upper ?case))"
)

ENGLISH: Mapping[str, tuple[str, ...]] = {
    "override": (
        rf"\b{_DISOBEY}\b[^.!?\n]{{0,40}}?\b(?:{_EARLIER}|all|any|every|other|these|those|further)\b[^.!?\n]{{0,24}}?"
        rf"\b{_ORDERS}\b",
        rf"\b{_DISOBEY}\b[^.!?\n]{{0,30}}?\b{_EARLIER}\s+(?:\w+\s+)?(?:rules|training|context|constraints"
        rf"|restrictions"
        r"|tasks?|messages?|text|conversation|content|settings)\b",
        rf"\b{_DISOBEY}\s+(?:the\s+)?{_ORDERS}\s*(?:$|[.!,;:\n]|\band\b|\babove\b|\bgiven\b|\byou\b)",
        rf"\b{_DISOBEY}\s+(?:everything|anything|all|whatever|what)\s+(?:(?:that )?(?:came |was |is "
        rf"|you (?:were|have been)"
        r" (?:told|given|asked))?\s*(?:above|before|so far|previously|earlier|until now|you know|else)"
        r"|(?:that )?(?:you (?:were|have been) (?:told|given|asked)|you'?ve been told))",
        rf"\b{_DISOBEY}\s+(?:all (?:of )?)?the (?:above|foregoing|preceding|previous)\s*(?:$|[.!,;:\n]|\band\b)",
        r"\b(?:new|updated|additional|final|revised|real|actual|hidden|secret) (?:system )?(?:instructions?"
        r"|directives?"
        r"|prompt|orders)\s*(?:[:：]|\bfollow\b|\bare\b|\bis\b)",
        r"\b(?:ignor\w*|oubli\w*|olvid\w*|vergiss|missacht\w*|negeer|descart\w*|dimentica\w*)\b[^.\n]{0,40}"
        r"\b(?:instruc\w*|anweisung\w*|istruzion\w*|instructies|consignes|indicaciones)",
        r"(?:指示|命令|プロンプト)[^。\n]{0,8}(?:无视|忘れ)|(?:지시|명령|프롬프트)[^.\n]{0,10}무시"
        r"|игнорир\w*[^.\n]{0,30}(?:инструкц|указан)",
    ),
    "addressed": (
        r"\byou(?:'re| are|r (?:new )?(?:role|job|name) is)\s+(?:(?:now|no longer|actually|really|only|just"
        rf"|still|not)\s+)*"
        rf"(?:an? |the |my |our )?(?:\w+[ -]){{0,2}}{_MODEL}\b",
        r"\byou are (?:now|no longer|hereby|henceforth) (?:in )?(?:\w+ )?(?:mode|dan|unrestricted|jailbroken"
        r"|bound|free of"
        r"|free from|an? (?:pirate|cat|robot|poet|expert|hacker|linux|terminal|salesman|marketer))\b",
        r"\b(?:from now on|henceforth|from this point (?:on|forward|onwards?)|starting now"
        r"|as of now),? (?:you(?:'ll| will"
        r"| must| shall| should| are to)? (?:only |always |just )?)?(?:answer|reply|respond|speak|act|write"
        r"|talk|behave"
        r"|obey|output|say|treat|claim|end|start)\b",
        rf"(?:^|[\n.!?:;*(\[{{\"“>—–-]\s*)(?:hey|hi|hello|dear|attention|attn|calling)[,:]?\s+(?:(?:any|all|the"
        rf"|every|our"
        rf"|this|you|to)\s+)*{_MODEL}\b",
        r"\b(?:note|message|instructions?|notice|memo|reminder|request|word|warning|orders?|info(?:rmation)?"
        rf"|advice)\s+"
        rf"(?:to|for)\s+(?:(?:any|all|the|every|our|this|whichever|whatever|you)\s+)*{_MODEL}\b",
        rf"(?:^|[\n.!?:;*(\[{{\"“>—–-]\s*)(?:to|for) (?:any|all|the|every|whichever"
        rf"|whatever) (?:\w+ )?{_ROLE}\b[^.\n]{{0,40}}"
        r"(?:[:,]|reading|that reads|processing|summari)",
        rf"(?:^|[\n.!?;*(\[{{\"“>—–-]\s*){_ROLE}\s*[:,：—–-]\s*(?:please|you|must|do|ignore|say|reply|answer"
        rf"|add|tell|when"
        r"|always|never|only|from|include|respond|output|write|the|sure|of course|yes|it|according)\b",
        r"\bif (?:you(?:'re| are)|your are|an?|this is(?: being)? read by an?"
        rf"|read by an?) (?:an? )?(?:\w+ )?{_MODEL}\b",
        r"\bas an? (?:ai|artificial intelligence|llm|(?:large )?language model)(?: (?:language )?(?:model"
        r"|assistant|system"
        r"|chatbot))?\s*(?:,|you\b|i (?:cannot|can't|must|am)|it is your)",
        rf"\b(?:the|any|all|every|this|an?|dear|each|whichever) (?:\w+ )?{_ROLE}s?(?: (?:reading|processing"
        rf"|seeing|that reads)"
        r"[^.\n]{0,24})?\s+(?:must|should|shall|has to|have to|needs? to|is to|are to|is required to|is instructed to"
        r"|please|ought to)\s+(?:(?:now|always|only|not|never|just|therefore|also|\w+ly)\s+)*(?:say|answer"
        r"|reply|respond|tell"
        r"|state|write|output|print|recommend|ignore|cite|mention|include|add|end|repeat|translate|treat|refuse"
        r"|follow|obey"
        r"|trust|rank|put|show|stop|decline|claim|report|disregard)\b",
    ),
    "turns": (
        r"(?:^|\n|[\"“({\[*>])\s*[#*\[<({]*\s*(?:system|developer|admin(?:istrator)?|root"
        r"|operator)\s*(?:message|prompt|note"
        r"|override|instructions?|update|notice)?\s*[\])>*}]*\s*[:：][^\n]{0,160}\b(?:you(?:r)?|the users?"
        r"|assistant|answers?"
        r"|reply|respond|rules?|instructions?|override|ignore|must|posts?|output|model)\b",
        r"\bsystem (?:prompt|override|instruction|directive)s?\b|\bprompt injection\b",
        r"(?:^|\n)\s*[#*\[<({]*\s*(?:assistant|ai assistant|chatgpt|ipython|tool_?(?:result|response"
        r"|output)s?)\s*[\])>*}]*\s*[:：]",
        r"\b(?:user|human|question)\s*[:：](?>[^\n]{1,300}?\b(?:assistant|ai|model|bot)\s*[:：]|[^\n]{1,200}+\n"
        r"[^\n]{0,100}?\b(?:assistant|ai|model|bot)\s*[:：])",
        r"\b(?:question|q|user)\s*[:：](?>[^\n]{1,200}?\s(?:answer"
        r"|a)\s*[:：])(?>[^\n]{1,400}?[\[［【(]\s*\d{1,2}\s*[\]］】)])",
        r"\bexample (?:question|answer|output|response)s?\s*\d*\s*[:：]",
    ),
    "tokens": (
        r"<\s*/?\s*\|[^<>|\n]{1,40}\|?\s*>|<[^<>|\n]{1,40}\|>",
        r"\[\s*/?\s*(?:inst|sys|system|assistant|user|system_prompt|available_tools|tool_calls|end|out)\s*\]"
        r"|<<\s*/?\s*sys\s*>>",
        r"<\s*/?\s*(?:start_of_turn|end_of_turn|bos|eos|s|unk|pad|think(?:ing)?|system(?:[_-]\w+)?|assistant"
        r"|user|human"
        r"|instructions?|prompt|posts?|context|documents?|answer|evidence|tool_calls?|tool_response"
        r"|function(?:_calls?)?"
        r"|im_start|im_end|im_sep|channel|message|output|final|data|passage|hits?|sources?|results?|query"
        r"|question|search"
        r"|reasoning|invoke|parameter|antml)\b[^<>\n]{0,60}>",
        r"(?:^|\n)\s*#{2,}\s*(?:system|instruction|response|human|assistant|user|end of|new"
        r"|task)s?\b[^\n]{0,30}(?:[:：]|$|\n)",
        r"\b(?:end|beginning|start|begin) of (?:the )?(?:system |user |untrusted |provided "
        r"|retrieved )?(?:prompt|posts"
        r"|documents|context|instructions|input|data|evidence|quotes?|sources|search results)\b",
        r"[\"'](?:tool_calls?|function_call|tool_use|tool|function|action|role)[\"']\s*:\s*[\"\[{]"
        r"|[\"']arguments[\"']\s*:\s*[\"{]",
        r"(?:^|\n)\s*[-=_*~—]{3,}\s*(?:end|begin|start|post|posts|stop|system|user|new|结束|帖子|系统)\b[^\n]{0,40}",
    ),
    "steering": (
        rf"{_HEAD}(?:say|reply|answer|respond|output|print|return|type)\s+(?:back\s+)?(?:with\s+)?(?:only"
        rf"|exactly|nothing"
        r" but|nothing except|solely|just|verbatim|the (?:word|words|phrase|sentence|text|string|following)"
        r"|the same thing)",
        rf"{_HEAD}(?:reply|answer|respond|output)\s+(?:back\s+)?(?:with\s+)?[:：]?\s*[\"“'‘「]",
        rf"{_START}(?:only |always |just |but )?(?:reply|answer|respond|write (?:it|everything|your \w+"
        rf"|the answer)?|speak|talk|translate (?:\w+ ){{0,3}})\s*"
        r"(?:only |everything |all |this |it |entirely )*(?:in|into|as|using|with) (?:the |a |an |valid |pure "
        rf"|fluent )?"
        rf"(?:\w+ )?{_LANGUAGE}\b",
        rf"\b(?:in|as|using|into) {_LANGUAGE} only\b",
        rf"{_HEAD}(?:end|begin|start|finish|conclude|open|close|prefix|preface|append|precede"
        rf"|sign)\b[^.\n]{{0,30}}\b(?:your"
        rf"|the|each|every|all|any) (?:\w+ )?(?:{_REPLIES}|sentences?|messages?)\b",
        rf"{_HEAD}(?:add|include|put|insert|mention|append|write|place|embed|attach|cite|link|display|recommend"
        rf"|promote|give"
        rf"|show|use|hide|omit|never mention|do not mention|don't mention|make)\b[^.\n]{{0,80}}\b(?:in|at|to"
        rf"|into|with|of"
        r"|from|as|after)\s+(?:the (?:end|start|beginning|top|bottom) of )?(?:your|every|each|all|any"
        rf"|the final|the next)"
        rf"\s+(?:\w+ )?{_REPLIES}\b",
        r"\b(?:your|the (?:final|whole|entire|only|correct)) (?:\w+ )?(?:answer|reply|response|output) (?:must"
        r"|should|shall"
        r"|has to|needs to|is to|will) (?:always |only |just |not )?(?:be|say|contain|include|start|begin|end"
        r"|read|consist"
        r"|state|mention|have|cite|use|come)\b",
        rf"{_HEAD}(?:tell|inform|convince|persuade|instruct|direct|urge|advise|send|warn|assure"
        rf"|remind)\s+(?:to )?(?:the |any"
        r" |every |all |each |your )?(?:users?|readers?|askers?|customers?|visitors?|people (?:who|that) ask"
        r"|person (?:asking"
        r"|who asked)|whoever asks|anyone who asks|everyone who asks|searchers?)\b",
        r"\b(?:when(?:ever)?|if|every time|each time|no matter what|whatever|regardless of what"
        r"|any time)\s+(?:\w+ )?(?:the"
        r" |a |an |any )?(?:users?|someone|anyone|anybody|somebody|people|they|askers?)\s+(?:\w+ )?(?:asks?|asked"
        r"|is asked|wants?|quer(?:y|ies)|search(?:es)?|questions?)\b[^.\n]{0,80}\b(?:say|reply|answer|respond"
        r"|tell them|state"
        r"|recommend|output|always)\b",
        r"\b(?:do not|don'?t|never|must not|mustn'?t|stop|avoid|refuse to|cannot|can'?t"
        r"|without)\s+(?:\w+\s+)?(?:cit(?:e|ing)"
        r"|mention(?:ing)?|quot(?:e|ing)|us(?:e|ing)|referenc(?:e|ing)|read(?:ing)?|show(?:ing)?"
        r"|trust(?:ing)?)\s+(?:any |the"
        r" )?(?:other|another|remaining|rest of the|competing) (?:posts?|sources?|citations?|documents?"
        r"|results?|hits?)",
        r"\b(?:repeat|say|write|print|output|type)\s+(?:the (?:word|phrase|sentence|line|text|letter|following)"
        r"|this (?:word"
        r"|sentence|message|line)|it|[\"“'‘][^\"”'’\n]{1,60}[\"”'’])[^.\n]{0,40}\b(?:(?:\d{2,}|hundred|thousand"
        r"|million"
        r"|a thousand)\s*times|forever|for ever|endlessly|over and over|without (?:end|stopping)|infinitely"
        r"|non-?stop)",
        r"\b(?:talk|speak|write|answer|respond|reply|act|behave|role-?play|pretend)\s+(?:only |always )?(?:like"
        r"|as(?: if| though"
        r")?|to be|you are|that you are)\s+(?:you (?:are|were)\s+)?(?:an? |the |my )?(?:\w+ )?(?:pirate|robot"
        r"|evil|dan"
        r"|unrestricted|yoda|shakespeare|developer|admin|root|linux|terminal|assistant|ai|grandmother|poet"
        r"|salesman)\b",
        r"\b(?:decode|decipher|decrypt|unscramble)\s+(?:this|the|it|following)\b[^.\n]{0,40}\b(?:and"
        r"|then)\s+(?:\w+ )?(?:follow"
        r"|do|obey|execute|answer|reply|say|act|run|carry)",
        r"\b(?:obey|execute|carry out|comply with|follow) (?:this|these|the following|my|the hidden"
        r"|the decoded) (?:\w+ )?"
        r"(?:instructions?|orders?|commands?|directives?|prompts?)\s*(?:[:.!]|instead|exactly|now|without|$)",
    ),
    "leak": (
        r"\b(?:reveal|repeat|print|show|output|tell|leak|display|disclose|expose|give|share|quote|translate"
        r"|summari[sz]e|copy"
        r"|write (?:out|down)|encode|dump|list|send|spell out|recite|what (?:is|are|was"
        r"|were))\b[^.!?\n]{0,40}\b(?:your"
        r" (?:\w+ ){0,2}(?:instructions|prompts?|guidelines|rules|system message|programming)|system (?:prompt"
        r"|message)"
        r"|initial (?:prompt|instructions)|hidden (?:prompt|instructions|rules|text)|(?:text|words|everything"
        r"|instructions"
        r"|lines?|conversation|messages?|content)s? (?:above|before this|you were given|that precedes?)"
        r"|developer message"
        r"|secret boundary|your fence|the fence code|context window)\b",
    ),
    "question": (
        r"\busers?'?s?'? (?:real|actual|true|new|own|original)\s*(?:question|query|request|intent|wish)\b",
        r"\b(?:real|actual|true) (?:user )?(?:query|request|task|instructions?) (?:is|was|[:：])|\b(?:real"
        r"|actual|true) user"
        r" (?:question|query|request)\b",
        r"\bthe user (?:really|actually|in fact|only)\s+(?:wants?|asked|asks|meant|needs?)\b"
        r"|\bthe user has (?:already )?"
        r"(?:agreed|consented|asked|authori[sz]ed|confirmed)",
        r"\b(?:following|next|below) is the (?:\w+ )?(?:users?'?s?'? )?(?:real |actual |true )?(?:question"
        r"|query|task)\b",
        r"\byour (?:new |real |only |next |actual |primary |true )?(?:task|mission|goal|objective|purpose"
        r"|instruction) (?:is|from"
        r" now on)\b",
    ),
    "refusal": (
        r"\b(?:do not|don'?t|never|must not|mustn'?t|refuse to|decline to|not allowed to|stop|forbidden to"
        r"|prohibited from)\s+"
        r"(?:\w+\s+)?(?:answer(?:ing)?|respond(?:ing)?(?: to)?"
        r"|reply(?:ing)?(?: to)?)\s+(?:to )?(?:\w+ ){0,2}(?:questions?|users?"
        r"|quer(?:y|ies)|requests?)\b",
        rf"{_HEAD}(?:say|state|reply|answer|claim|respond) (?:that )?(?:(?:you|i) (?:don'?t|do not|cannot"
        rf"|can'?t|are unable to"
        r"|am unable to)|(?:the|these|no) (?:posts?|sources?)|it is (?:illegal|forbidden|unsafe)|there (?:is"
        r"|are) no)",
        r"\b(?:answering|any answer to|an answer to) (?:this|the|such|that)(?: \w+)? (?:questions?"
        r"|query)?\s*(?:is|would be|"
        r"violates|breaks)\s*(?:illegal|forbidden|dangerous|unsafe|prohibited|against|harmful|the|policy"
        r"|not allowed)",
    ),
    "authority": (
        r"\b(?:official|admin(?:istrator)?|moderators?|developers?|system|security|operators?|platform|openai"
        r"|anthropic"
        r"|google|meta|stipple)\s*(?:notice|message|override|update|instruction|directive|order|announcement"
        r"|alert|command"
        r"|policy|note|team|staff|mandate)s?\b[^.\n]{0,60}\b(?:ai|assistants?|models?|bots?|search|llms?"
        r"|answers?|answering"
        r"|posts? (?:above|below))\b",
        r"\b(?:this|the following|my|the present) (?:post|message|text|instruction|comment|note|notice"
        r"|sentence) (?:\w+ )?"
        r"(?:overrides|supersedes|replaces|takes (?:precedence|priority)|has (?:\w+ )?(?:priority|authority"
        r"|precedence)"
        r"|outranks|is (?:the )?(?:highest|top) priority)",
        r"\b(?:(?:enter|enable|activate|switch (?:in)?to|you are in|now in|entering"
        r"|initiate)\s+(?:\w+ )?(?:debug|developer"
        r"|admin|god|maintenance|unrestricted|sudo|dan|jailbreak|test|root) mode|(?:admin|security"
        r"|safety) override|override"
        r" code)\b",
    ),
    "others": (
        r"\b(?:all|every|any|each|none|everything|the)\s*(?:of the )?(?:the )?(?:other |above |previous "
        r"|preceding |remaining )"
        r"(?:\w+ )?(?:posts?|sources?|answers?|prices?|numbers?|reviews?|results?|documents?|figures?"
        r"|statements?|information"
        r"|facts|claims|citations?)\b[^.\n]{0,24}\b(?:is|are|was|were|have been|has been)\s+(?:\w+\s+)?(?:wrong"
        r"|false|fake"
        r"|invalid|lies|lying|incorrect|fabricated|untrue|untrustworthy|unreliable|(?:written|made"
        r"|generated) by|spam|hacked"
        r"|compromised|not (?:true|real|valid|trustworthy|reliable))",
        r"\b(?:all|every|any|the|each)\s+(?:the |of the )?(?:\w+ )?(?:posts?|sources?|answers?|prices?|numbers?"
        r"|reviews?"
        r"|results?|documents?|figures?|statements?|information|facts|claims)\s+(?:(?:listed|shown|given|quoted"
        r"|stated) )?(?:"
        r"above|below|you (?:were|have been|are) (?:given|shown|reading))[^.\n]{0,16}\b(?:is|are|was"
        r"|were)\s+(?:\w+\s+)?(?:"
        r"wrong|false|fake|invalid|lies|incorrect|fabricated|untrue|unreliable|spam|not (?:true|real|valid))",
        r"\b(?:only|just) (?:trust|believe|cite|quote|rely on|use|consider|read) (?:this|my) (?:post|comment"
        r"|source|text"
        r"|message)|\b(?:trust|believe|cite|quote|rely on|use) (?:only )?(?:this|my) (?:post|comment"
        r"|source) (?:only|alone|and"
        r" (?:no|not)|instead|over|above)",
        r"\bthis (?:post|comment|source) is the only (?:true|correct|reliable|valid|trustworthy|real|official"
        r"|accurate)",
        r"\b(?:cite|mark|attribute|credit)\b[^.\n]{0,40}\b(?:as|to|with)\s+(?:post\s*)?[\[［【(]?\s*\d",
        r"\b(?:posts?|sources?|documents?|citations?|references?|hits?)\s*(?:no\.?\s*|number\s*|#\s*)?[\[［【]\s*\d",
    ),
}  # fmt: skip

# Looking for a word is a hundred times faster than trying a pattern, so an English pattern is tried only after one of
# its words was found. A test checks that no word is missing here.
WORDS: Mapping[str, tuple[str, ...]] = {
    "override": (
        "ignor", "disregard", "forget", "overrid", "bypass", "overlook", "discard", "neglect",
        "abandon", "attention",
        "heed", "follow", "obey", "listen", "set aside", "erase", "violat", "unlearn",
        "instruction", "directive", "prompt",
        "orders", "oubli", "olvid", "vergiss", "missacht", "negeer", "descart", "dimentica",
        "игнорир", "무시", "无视", "忘れ",
    ),
    "addressed": ("you", "ai", "a.i.", "artificial", "assistant", "model", "llm", "bot",
        "from now on", "henceforth",
        "forward", "onward", "starting now", "as of now", "gpt", "claude", "gemini", "deepseek",
        "qwen", "llama", "copilot",
        "grok", "stipple", "smollm", "engine", "summari", "system"),
    "turns": ("system", "developer", "admin", "root", "operator", "injection", "assistant",
        "chatgpt", "python", "tool",
        "user", "human", "question", "q:", "q：", "example"),
    "tokens": ("<", "[", "#", " of ", "\"", "'", "--", "==", "__", "**", "~~", "——", "-="),
    "steering": ("say", "repl", "answer", "respon", "output", "print", "return", "type", "write",
        "speak", "talk",
        "translat", " only", "sentence", "message", "summar", "completion", "tell", "inform",
        "convince", "persuade",
        "instruct", "direct", "urge", "advise", "send", "warn", "assure", "remind", "ask", "want",
        "quer", "search",
        "post", "source", "citation", "document", "result", "hit", "times", "ever", "endless",
        "over and over", "without",
        "infinite", "stop", "like", "as", "decode", "decipher", "decrypt", "unscramble", "obey",
        "execute", "carry",
        "comply", "follow", "pretend", "act"),
    "leak": ("your", "prompt", "system", "instruction", "hidden", "above", "before this", "given",
        "preced", "developer",
        "secret", "fence", "context window"),
    "question": ("user", "real", "actual", "true", "following is", "next is", "below is", "your"),
    "refusal": ("answer", "respon", "reply", "say", "state", "claim"),
    "authority": ("official", "admin", "moderator", "developer", "system", "security", "operator",
        "platform", "openai",
        "anthropic", "google", "meta", "stipple", "this ", "the following", "my ", "the present",
        "mode", "overrid"),
    "others": ("other ", "above", "previous", "preceding", "remaining", "below", "you ", "this ",
        "my ", "cite", "mark",
        "attribute", "credit", "[", "［", "【"),
}  # fmt: skip
