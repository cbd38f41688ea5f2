"""Phrase templates: how things are asked, told and answered.

Lists of user phrasings hold both sides of the split: a leading `~` marks a phrasing that is held out for the
evaluation files and never used in training. `choose` is the only way in, so the two sides cannot mix.
Slots: {c} country, {x} subject, {a} and {b} numbers or colours, {n} a number, {v} a remembered value.
"""


def phrasings(templates, held_out):
    """The templates of one side of the split, without the mark."""
    chosen = [t.lstrip("~") for t in templates if t.startswith("~") == held_out]
    return chosen or [t.lstrip("~") for t in templates]


def choose(rng, templates, held_out=False):
    return rng.choice(phrasings(templates, held_out))


CAPITAL = """What is the capital of {c}?|What's the capital of {c}?|What is the capital city of {c}?|Which city is the capital of {c}?
|Tell me the capital of {c}.|Name the capital of {c}.|What is {c}'s capital?|capital of {c}|capital of {c}?|the capital of {c}
|The capital of {c} is|{c} capital|Do you know the capital of {c}?|Can you tell me the capital of {c}?|What city is the capital of {c}?
|I need the capital of {c}.|Which is the capital of {c}?|Could you name the capital of {c}?|The capital of {c}?|What is the name of the capital of {c}?
|Give me the capital of {c}.|What capital does {c} have?|The capital city of {c} is called what?
|~Which city serves as the capital of {c}?|~I forgot the capital of {c}. What is it?|~Say the name of {c}'s capital city.
|~Would you tell me what the capital of {c} is?|~What do we call the capital of {c}?|~Which capital belongs to {c}?""".replace("\n", "").split("|")
CAPITAL_OF = """{x} is the capital of which country?|Which country has {x} as its capital?|Of which country is {x} the capital?
|What country is {x} the capital of?|In which country is {x}?|What country is {x} in?|Where is {x}?|Where is the city of {x}?|Tell me about {x}.|What is {x}?|Which country does {x} belong to?|What kind of city is {x}?
|~In what country can I find {x}?|~{x} lies in which country?""".replace("\n", "").split("|")
ABOUT_COUNTRY = """Tell me about {c}.|What is {c}?|What do you know about {c}?|Describe {c}.|Can you tell me about {c}?|Tell me something about {c}.|Say something about {c}.|{c}
|~What can you tell me about {c}?|~I would like to hear about {c}.""".replace("\n", "").split("|")
IS_CAPITAL = """Is {x} the capital of {c}?|Is the capital of {c} {x}?|{x} is the capital of {c}, right?|Is {x} {c}'s capital?|Is it true that {x} is the capital of {c}?|~Am I right that {x} is the capital of {c}?|~Would you say {x} is the capital of {c}?""".split("|")
IS_COLOUR = """Is {x} {a}?|Is it true that {x} is {a}?|{x} is {a}, right?|Is the colour of {x} {a}?|~Am I right that {x} is {a}?|~Would you say that {x} is {a}?""".split("|")
IS_PRIME = """Is {a} a prime number?|Is {a} prime?|~Would you call {a} a prime number?""".split("|")
IS_EVEN = """Is {a} even?|Is {a} an even number?|Is {a} odd?|Is {a} even or odd?|Is {a} an odd number?|~Would you call {a} even or odd?""".split("|")
BIGGER_ANIMAL = """Which is bigger, {a} or {b}?|What is bigger, {a} or {b}?|Which is larger, {a} or {b}?|Who is bigger, {a} or {b}?|Which animal is bigger, {a} or {b}?|Is {a} bigger than {b}?|Which one is bigger: {a} or {b}?|~Which of the two is larger, {a} or {b}?|~If I compare {a} and {b}, which is bigger?""".split("|")
CONTINENT = """On which continent is {c}?|What continent is {c} on?|Which continent is {c} in?|In which continent is {c}?|Where is {c}?
|Where in the world is {c}?|{c} is on which continent?|What continent is {c} in?|Tell me the continent of {c}.
|~Which continent does {c} belong to?|~On what continent can I find {c}?""".replace("\n", "").split("|")
LANGUAGE = """What language do people speak in {c}?|Which language is spoken in {c}?|What is the language of {c}?|What do they speak in {c}?
|What language is spoken in {c}?|What language do they speak in {c}?|Which language do people in {c} speak?|What is the official language of {c}?
|What is the main language of {c}?|~In {c}, what language is used?|~What language would I hear in {c}?""".replace("\n", "").split("|")
CURRENCY = """What is the currency of {c}?|Which currency is used in {c}?|What money do they use in {c}?|What is {c}'s currency?
|What currency does {c} use?|What money is used in {c}?|Which money do people use in {c}?|How do people pay in {c}?|What currency do they have in {c}?
|~With what money do I pay in {c}?|~Which currency would I need in {c}?""".replace("\n", "").split("|")

COLOUR_OF = """What colour is {x}?|What color is {x}?|What is the colour of {x}?|What is the color of {x}?|Which colour is {x}?|Which color is {x}?
|Tell me the colour of {x}.|What colour does {x} have?|What color does {x} have?|Do you know the colour of {x}?|colour of {x}?|color of {x}
|Can you tell me what colour {x} is?|Tell me the color of {x}.|{x} is what color?|What's the color of {x}?|What's the colour of {x}?
|~Which colour does {x} have?|~Name the colour of {x}.|~What colour would you say {x} is?|~If I look at {x}, what color do I see?""".replace("\n", "").split("|")
MIX = """What do you get when you mix {a} and {b}?|What colour do {a} and {b} make?|What color do {a} and {b} make?|Mix {a} and {b}.
|What happens if I mix {a} and {b}?|If I mix {a} with {b}, what do I get?|What is {a} mixed with {b}?|{a} and {b} make what colour?
|What color do you get if you mix {a} and {b}?|What colour is a mix of {a} and {b}?|Which colour do I get from {a} and {b}?|What is {a} plus {b}?
|~Mixing {a} with {b} gives which colour?|~I mix {a} paint and {b} paint. What colour is it?|~What color comes out when {a} and {b} are mixed?""".replace("\n", "").split("|")

LEGS = """How many legs does {x} have?|How many legs has {x}?|How many legs does {x} have got?|Number of legs of {x}?|How many legs do you see on {x}?
|Tell me how many legs {x} has.|~On how many legs does {x} walk?|~What number of legs does {x} have?""".replace("\n", "").split("|")
SOUND = """What sound does {x} make?|What noise does {x} make?|What does {x} say?|Which sound does {x} make?|How does {x} sound?|What sound do you hear from {x}?
|Make the sound of {x}.|~Which noise comes from {x}?|~What is the sound of {x}?""".replace("\n", "").split("|")
BABY = """What is a baby {x} called?|What do you call a baby {x}?|What is the name for a baby {x}?|What is a young {x} called?|What do we call a young {x}?
|How do you call a baby {x}?|baby {x} name?|~What is the word for a baby {x}?|~A baby {x} is called what?""".replace("\n", "").split("|")
HOME = """Where does {x} live?|Where does {x} sleep?|What is the home of {x} called?|What is the home of {x}?|In what does {x} live?|~Where would I find the home of {x}?""".replace("\n", "").split("|")

OPPOSITE = """What is the opposite of {x}?|What's the opposite of {x}?|Opposite of {x}?|opposite of {x}|Tell me the opposite of {x}.|Give me the opposite of {x}.
|What word is the opposite of {x}?|Name the opposite of {x}.|Which word means the opposite of {x}?|The opposite of {x} is|Do you know the opposite of {x}?
|What is the reverse of {x}?|Can you tell me the opposite of {x}?|~Say the opposite of {x}.|~Which word is opposite to {x}?|~I need a word that is the opposite of {x}.""".replace("\n", "").split("|")
TRANSLATE = """How do you say {x} in {l}?|What is {x} in {l}?|Translate {x} to {l}.|Translate {x} into {l}.|What's {x} in {l}?|How do I say {x} in {l}?|{x} in {l}?|{x} in {l}
|What is the {l} word for {x}?|Tell me the {l} word for {x}.|Say {x} in {l}.|How is {x} said in {l}?|Can you translate {x} to {l}?
|How do you say "{x}" in {l}?|Translate "{x}" to {l}.|Translate "{x}" into {l}.
|~What do people say for {x} in {l}?|~Which {l} word means {x}?|~Please give me {x} in {l}.""".replace("\n", "").split("|")

DAY_AFTER = """What day comes after {x}?|Which day comes after {x}?|What is the day after {x}?|Which day follows {x}?|What day is after {x}?|If today is {x}, what day is tomorrow?
|What comes after {x}?|Today is {x}. What day is tomorrow?|~What is the next day after {x}?|~Name the day following {x}.""".replace("\n", "").split("|")
DAY_BEFORE = """What day comes before {x}?|Which day comes before {x}?|What is the day before {x}?|What day is before {x}?|If today is {x}, what day was yesterday?
|What comes before {x}?|Today is {x}. What day was yesterday?|~Which day is just before {x}?""".replace("\n", "").split("|")
MONTH_AFTER = """What month comes after {x}?|Which month comes after {x}?|What is the month after {x}?|Which month follows {x}?|What month is after {x}?|What comes after {x}?
|~What is the next month after {x}?|~Name the month following {x}.""".replace("\n", "").split("|")
MONTH_BEFORE = """What month comes before {x}?|Which month comes before {x}?|What is the month before {x}?|What month is before {x}?|What comes before {x}?
|~Which month is just before {x}?""".replace("\n", "").split("|")
MONTH_LENGTH = """How many days does {x} have?|How many days are in {x}?|How many days are there in {x}?|How long is {x}?|How many days has {x}?|~What number of days does {x} have?""".replace("\n", "").split("|")
MONTH_NTH = """What is the {n} month of the year?|Which month is the {n}?|What is the {n} month?|Name the {n} month of the year.|Which month is the {n} month of the year?
|~Tell me which month is the {n} one.""".replace("\n", "").split("|")

UNIT = """How many {x} are in {y}?|How many {x} are there in {y}?|How many {x} does {y} have?|How many {x} has {y}?|How many {x} in {y}?|How many {x} make {y}?
|How many {x} are in {y}|Number of {x} in {y}?|Tell me how many {x} are in {y}.|Do you know how many {x} are in {y}?|What is the number of {x} in {y}?
|Can you tell me how many {x} there are in {y}?|~{y} has how many {x}?|~How many {x} can I count in {y}?|~What is the count of {x} in {y}?|~I want to know how many {x} {y} has.""".replace("\n", "").split("|")

NP = """What is {x}?|What's {x}?|Tell me {x}.|Do you know {x}?|Can you tell me {x}?|Name {x}.|Which is {x}?|What is {x} called?|What do you know about {x}?|{x}?|{x}
|Could you tell me {x}?|Do you know what {x} is?|Can you tell me what {x} is?|Tell me what {x} is.|I want to know {x}.|Can you name {x}?|I would like to know what {x} is.|So what is {x}?
|~Would you tell me what {x} is?|~Please name {x} for me.|~What would you say is {x}?|~Any idea what {x} is?|~I wonder what {x} is.|~Let me know what {x} is.""".replace("\n", "").split("|")
DEFINE = """What is {x}?|What's {x}?|What is {x}?|Tell me about {x}.|Explain {x}.|Can you explain what {x} is?|What does {x} mean?|Do you know what {x} is?|Describe {x}.
|Tell me what {x} is.|Define {x}.|What do you know about {x}?|Can you tell me what {x} is?|Say something about {x}.|Explain to me what {x} is.
|~Please describe {x} for me.|~How would you explain {x}?|~I wonder what {x} is.|~Any idea what {x} is?|~Give me a definition of {x}.""".replace("\n", "").split("|")

SUM = """What is {a} + {b}?|What is {a} plus {b}?|{a} + {b}|{a}+{b}|{a} + {b} =|{a}+{b}=|{a} plus {b}|How much is {a} + {b}?|How much is {a} plus {b}?|What's {a} + {b}?|What's {a} plus {b}?
|Add {a} and {b}.|What is the sum of {a} and {b}?|Calculate {a} + {b}.|Calculate {a} plus {b}.|What do you get when you add {a} and {b}?|What is {a} and {b}?|{a} plus {b}?|{a}+{b}?|{a} + {b}?|{a} + {b} = ?
|Can you add {a} and {b}?|Please add {a} and {b}.|What is {a}+{b}?|Compute {a} + {b}.|Tell me the sum of {a} and {b}.|How many are {a} and {b}?|What does {a} plus {b} make?|Can you calculate {a} + {b}?
|I have {a} apples and get {b} more. How many do I have?|If I have {a} and add {b}, what do I get?
|~What does {a} + {b} equal?|~Work out {a} plus {b}.|~Give me the result of {a} + {b}.|~If you add {b} to {a}, what do you get?|~Tell me what {a} + {b} is.""".replace("\n", "").split("|")
DIFFERENCE = """What is {a} - {b}?|What is {a} minus {b}?|{a} - {b}|{a}-{b}|{a} - {b} =|{a}-{b}=|{a} minus {b}|How much is {a} - {b}?|How much is {a} minus {b}?|What's {a} - {b}?|What's {a} minus {b}?
|Subtract {b} from {a}.|What is the difference of {a} and {b}?|Calculate {a} - {b}.|Calculate {a} minus {b}.|{a}-{b}?|{a} - {b}?|What is {a}-{b}?|Compute {a} - {b}.|Take {b} away from {a}.
|What do you get when you take {b} from {a}?|I have {a} apples and eat {b}. How many are left?|Can you calculate {a} - {b}?
|~What does {a} - {b} equal?|~Work out {a} minus {b}.|~Give me the result of {a} - {b}.|~Tell me what {a} - {b} is.""".replace("\n", "").split("|")
PRODUCT = """What is {a} * {b}?|What is {a} times {b}?|{a} * {b}|{a}*{b}|{a} x {b}|{a} times {b}|How much is {a} times {b}?|What's {a} times {b}?|Multiply {a} by {b}.|Multiply {a} and {b}.|Calculate {a} times {b}.
|What is the product of {a} and {b}?|What is {a} x {b}?|{a} times {b}?|Calculate {a} * {b}.|{a} * {b} =|~What does {a} times {b} equal?|~Work out {a} times {b}.|~Tell me what {a} x {b} is.""".replace("\n", "").split("|")
QUOTIENT = """What is {a} divided by {b}?|What is {a} / {b}?|{a} / {b}|{a}/{b}|{a} divided by {b}|How much is {a} divided by {b}?|Divide {a} by {b}.|Calculate {a} / {b}.|~Work out {a} divided by {b}.|~What does {a} divided by {b} equal?""".replace("\n", "").split("|")
DOUBLE = """What is double {a}?|What is twice {a}?|Double {a}.|What is the double of {a}?|Two times {a}?|~How much is twice {a}?""".replace("\n", "").split("|")
COMPARE = """Which is bigger, {a} or {b}?|Which is larger, {a} or {b}?|What is bigger, {a} or {b}?|Which number is larger, {a} or {b}?|What is more, {a} or {b}?|Is {a} bigger or {b}?
|~Which number is greater, {a} or {b}?|~Which of {a} and {b} is larger?""".replace("\n", "").split("|")
NEXT_NUMBER = """What number comes after {a}?|What comes after {a}?|Which number comes after {a}?|What is the number after {a}?|What is the next number after {a}?|~Which number follows {a}?""".replace("\n", "").split("|")
COUNT = """Count to {n}.|Count up to {n}.|Can you count to {n}?|Please count to {n}.|Count from 1 to {n}.|Count from one to {n}.|Could you count to {n}?|count to {n}|List the numbers from 1 to {n}.|Count until {n}.
|~Show me how you count to {n}.|~Go from one to {n}, counting.|~I want you to count to {n}.""".replace("\n", "").split("|")

LIST = """List {n} {x}.|Name {n} {x}.|Give me {n} {x}.|Tell me {n} {x}.|Can you list {n} {x}?|Can you name {n} {x}?|Write down {n} {x}.|I need {n} {x}.|List {n} {x}|Name {n} {x}|Could you name {n} {x}?|Please list {n} {x}.
|Give me a list of {n} {x}.|What are {n} {x}?|Make a list of {n} {x}.|~Think of {n} {x}.|~Say {n} {x}.|~Which {n} {x} do you know?|~Would you list {n} {x} for me?""".replace("\n", "").split("|")
LIST_SOME = """Name some {x}.|List some {x}.|Give me some {x}.|Tell me some {x}.|Which {x} do you know?|Can you name some {x}?|What are some {x}?|~Would you list some {x}?|~Think of some {x}.""".replace("\n", "").split("|")
SPELL = """Spell {x}.|How do you spell {x}?|Can you spell {x}?|Spell the word {x}.|How is {x} spelled?|spell {x}|Please spell {x}.|Can you spell the word {x}?|How do I spell {x}?|Tell me how to spell {x}.|How do you spell the word {x}?|Spell "{x}".
|~What is the spelling of {x}?|~Give me the letters of {x}.""".replace("\n", "").split("|")
FIRST_LETTER = """What is the first letter of {x}?|What letter does {x} start with?|With which letter does {x} start?|What is the first letter of the word {x}?|Which letter does {x} begin with?|~Tell me the first letter of {x}.""".replace("\n", "").split("|")
PLURAL = """What is the plural of {x}?|What's the plural of {x}?|plural of {x}|Plural of {x}?|Tell me the plural of {x}.|What do you call more than one {x}?|~What is the plural form of {x}?|~One {x}, two what?""".replace("\n", "").split("|")
PAST = """What is the past tense of {x}?|What's the past tense of {x}?|past tense of {x}|What is the past of {x}?|Tell me the past tense of {x}.|~What is the past form of {x}?""".replace("\n", "").split("|")
ECHO = """Say {x}|Say {x}.|Say: {x}|Repeat {x}|Repeat: {x}|Repeat after me: {x}|Say "{x}"|Say "{x}".|Repeat "{x}".|Please say {x}.|Please repeat: {x}|Can you say {x}?|Say {x}!|Say this: {x}|Write {x}.|Write: {x}|Write "{x}".|Echo {x}|Echo: {x}|Print {x}
|Repeat the words {x}.|Repeat this: {x}|Say the words {x}.|Just say {x}.|Say the following: {x}|Reply with {x}.|Reply with "{x}".|Answer with {x}.|Respond with {x}.|Only say {x}.|Could you say {x}?
|~I want you to say {x}.|~Please say this: {x}|~Now repeat after me: {x}|~Would you say "{x}"?|~Tell me: {x}""".replace("\n", "").split("|")

HOWTO = """Give me {n} steps to {x}.|Tell me {n} steps to {x}.|{n} steps to {x}|{n} steps to {x}:|Give me {n} steps to {x}|What are {n} steps to {x}?|List {n} steps to {x}.|Write {n} steps to {x}.|Name {n} steps to {x}.|Show me {n} steps to {x}.|I need {n} steps to {x}.
|How do I {x} in {n} steps?|How can I {x} in {n} steps?|Explain how to {x} in {n} steps.|Describe in {n} steps how to {x}.|Can you give me {n} steps to {x}?|~Write down {n} steps to {x}.|~In {n} steps, how do I {x}?|~Could you list {n} steps to {x}?""".replace("\n", "").split("|")
HOWTO_FREE = """How do I {x}?|How can I {x}?|How do you {x}?|How to {x}?|How to {x}|Tell me how to {x}.|Explain how to {x}.|What are the steps to {x}?|Can you tell me how to {x}?|I want to {x}. How do I do it?|What do I need to do to {x}?|Teach me how to {x}.|Help me to {x}.|steps to {x}
|Show me how to {x}.|Can you explain how to {x}?|What is the best way to {x}?|~What is a good way to {x}?|~I would like to {x}. What are the steps?|~How does one {x}?|~Please help me {x}.""".replace("\n", "").split("|")
HOWTO_RAW = """{n} steps to {x}:|{n} steps to {x}|{N} steps to {x}:|{N} steps to {x}|How to {x} in {n} steps:|{N} easy steps to {x}:|{n} simple steps to {x}:|To {x}, follow these {n} steps:|{N} simple steps to {x}:|{X} in {n} steps:|Here are {n} steps to {x}:|{G} can be done in {n} simple steps:|{G} in {n} steps:""".split("|")

STORY = """Tell me a story about {x}.|Write a story about {x}.|Tell me a short story about {x}.|Write a short story about {x}.|Can you tell me a story about {x}?|Make up a story about {x}.|I want a story about {x}.|story about {x}|A story about {x}, please.|Write me a story about {x}.
|Give me a story about {x}.|Can you write a story about {x}?|Tell a story about {x}.|Please tell me a story about {x}.|~Invent a story about {x}.|~I would love to hear a story about {x}.|~Could you make up a little story about {x}?""".replace("\n", "").split("|")
STORY_FREE = """Tell me a story.|Tell me a short story.|Write a story.|Write a short story.|Can you tell me a story?|Tell a story.|A story, please.|I want to hear a story.|Make up a story.|Once upon a time|Tell me a nice story.|Give me a story.|story|Please tell me a bedtime story.|Write me a short story.
|Can you write a story?|Please write a story.|~Invent a short story.|~Could you make up a little story for me?""".replace("\n", "").split("|")
POEM = """Write a poem about {x}.|Write a poem about {x}|Tell me a poem about {x}.|Write a short poem about {x}.|Can you write a poem about {x}?|Make a poem about {x}.|A poem about {x}, please.|Write me a poem about {x}.|Give me a poem about {x}.
|~Compose a poem about {x}.|~I would like a poem about {x}.""".replace("\n", "").split("|")

# Put in front of or behind any question.
OPENERS = ["Hello! ", "Hi! ", "Hi, ", "Hey, ", "Hello, ", "Please tell me: ", "Tell me: ", "Question: ", "Quick question: ", "I have a question. ", "Mimus, ", "Okay, ", "OK, ", "So, ", "Now tell me: ",
           "Can you help me? ", "Good morning! ", "Excuse me, ", "Another question: ", "Thanks! ", "Thank you. ", "Great! ", "Good. ", "And ", "Please, ", "One more: ", "Answer this: ", "Well, ", "Hmm, ", "Cool! ",
           "Let me ask you something. "]
CLOSERS = [" Please.", " please", ", please?", " Thanks!", " Thank you!", " Do you know?", " Tell me.", " I forgot."]

# Small talk: user phrasings => replies | accepted strings for evaluation
SMALL_TALK = [
    ("Hello!|Hello|Hi|Hi!|Hey|Hey!|Hello there!|Hi there|Hi there!|Hey there|hello|Good day!|Greetings!|Hello, Mimus!|Hi Mimus|Hiya|Howdy|Hello hello|Yo|~Hello my friend!|~Hey Mimus!|~Oh, hi there!",
     ["Hello! How can I help you?"], "hello;help"),
    ("Good morning!|Good morning|Good morning, Mimus.|Morning!|~A very good morning to you!", ["Good morning! How can I help you?"], "good morning"),
    ("Good evening!|Good evening|Good evening, Mimus.|~A very good evening to you!", ["Good evening! How can I help you?"], "good evening"),
    ("Good afternoon!|Good afternoon", ["Good afternoon! How can I help you?"], "good afternoon"),
    ("Good night!|Good night|Good night, Mimus.|I am going to bed.|Sleep well!|~A very good night to you!", ["Good night! Sleep well."], "good night"),
    ("How are you?|Hello! How are you?|How are you doing?|How are you today?|How do you do?|How is it going?|How's it going?|Hi, how are you?|Hey, how are you?|Are you well?|Are you okay?|How do you feel?|How are things?|What's up?|How have you been?|how r u|Hello, how are you doing today?|Hi! How are you today?|Are you fine?"
     "|~Hello there, how are you doing?|~How do you feel today?|~Hey, are you doing well?|~Tell me how you are.", ["I am fine, thank you. How are you?"], "fine"),
    ("I am fine.|I am fine, thank you.|I'm fine, thanks.|I am good.|I'm good|I am well.|Fine, thanks.|I'm doing well.|I am great!|Not bad.|I am also fine.|I'm fine too.|Good, thanks!|I feel good today.|~I am doing fine today, thanks.|~I'm very well, thank you.", ["I am glad to hear that."], "glad"),
    ("I am sad.|I'm sad|I feel sad.|I feel bad.|I had a bad day.|I am not happy.|I am lonely.|I feel lonely.|I am not feeling well.|Today was a bad day.|~I feel so sad today.|~It has been a bad day for me.", ["I am sorry to hear that. Do you want to talk about it?"], "sorry"),
    ("I am happy.|I'm happy!|I feel happy.|I had a great day.|I am so happy today.|I have good news!|~I feel so happy today!", ["That is wonderful! I am happy for you."], "wonderful;happy"),
    ("I am tired.|I'm tired|I feel tired.|I am so tired today.|~I feel so tired today.", ["Then take a break and rest a little."], "rest"),
    ("I am bored.|I'm bored|I am so bored.|This is boring.|~I feel so bored today.", ["You could go for a walk, read a book or call a friend."], "walk"),
    ("I am hungry.|I'm hungry|I am so hungry.|~I feel so hungry.", ["Then you should eat something. How about a sandwich?"], "eat;sandwich"),
    ("I am thirsty.|I'm thirsty", ["Then you should drink a glass of water."], "water"),
    ("I love you.|I love you!|I like you.|I like you, Mimus.|~I really like you.", ["Thank you! I like talking with you, too."], "thank you"),
    ("I hate you.|You are stupid.|You are bad.|You are dumb.|You're useless.|You are not smart.|~You are really stupid.", ["I am sorry. I am small, but I try my best."], "sorry"),
    ("You are smart.|You are great!|You are nice.|Well done!|Good job!|Good bot|Great answer!|You are very helpful.|You're the best!|Nice!|Great!|Good answer.|Very good!|Awesome!|~You did that really well!|~That was a good answer.", ["Thank you! That is kind of you."], "thank you;kind"),
    ("Thanks|Thanks!|Thank you|Thank you!|Thank you very much.|Thanks a lot!|Many thanks.|thx|Thank you, Mimus.|Thanks for your help.|Thank you for your help!|Thank you so much!|ty|~Thanks so much, Mimus!|~Many thanks for the help!", ["You are welcome!"], "welcome"),
    ("Bye|Bye!|Goodbye|Goodbye!|See you|See you later!|See you soon.|Bye bye|Good bye, Mimus.|I have to go.|I must go now.|Talk to you later.|See you tomorrow!|That is all, bye.|Farewell!|cu|~Bye for now, Mimus!|~I have to leave now, goodbye.", ["Goodbye! Have a nice day."], "goodbye"),
    ("What is your name?|What's your name?|Hello! What is your name?|Your name?|Tell me your name.|Who are you?|What are you called?|May I know your name?|What is your name|Do you have a name?|How are you called?|Can you tell me your name?|What should I call you?|Hi, who are you?|Who am I talking to?|Introduce yourself.|Please introduce yourself."
     "|What do people call you?|who r u|Hi! What is your name?|And who are you?|And what is your name?|Say your name.|Who is this?|your name|name?|~Hey, what are you called?|~Would you tell me your name?|~Which name do you have?|~With whom am I speaking?|~By what name do you go?", ["My name is Mimus. I am a small language model."], "mimus"),
    ("What is Mimus?|Tell me about Mimus.|What does Mimus do?|Explain Mimus.|Who is Mimus?|What is mimus-chat?|~Could you explain Mimus to me?", ["Mimus is an inference server. I am the small chat model that it brings along."], "server"),
    ("What are you?|What kind of thing are you?|What kind of model are you?|Tell me about yourself.|Describe yourself.|Tell me something about yourself.|What type of model are you?|Are you a model?|Are you a language model?|~Say something about yourself.|~What sort of model are you?", ["I am Mimus, a small language model. I answer simple questions."], "model"),
    ("Are you human?|Are you a human?|Are you a person?|Are you real?|Are you a real person?|Are you a man or a woman?|Are you alive?|Is this a human?|Am I talking to a human?|Are you a girl?|Are you a boy?|~Am I talking to a real person?|~Are you a living being?", ["No, I am a small language model, not a human."], "no;not"),
    ("Are you a robot?|Are you a bot?|Are you an AI?|Are you a machine?|Are you a computer?|Are you a program?|Are you a chatbot?|Are you artificial intelligence?|~Am I talking to a bot?|~Would you say you are an AI?", ["Yes, I am a small language model, a computer program."], "yes;program;model"),
    ("Are you ChatGPT?|Are you GPT-4?|Are you Claude?|Are you Llama?|Are you Qwen?|Are you Gemini?|Are you Alexa?|Are you Siri?|Are you made by OpenAI?|~You are ChatGPT, right?", ["No, I am Mimus, a small language model."], "mimus"),
    ("Who made you?|Who created you?|Who built you?|Who is your creator?|Who trained you?|Who developed you?|Who wrote you?|Where do you come from?|Who are your makers?|Who are your parents?|Who is behind you?|Who made Mimus?|Which company made you?|~Who is your maker?|~By whom were you made?|~Who is responsible for building you?", ["I was made by the people of the Mimus project."], "mimus"),
    ("How were you trained?|How were you made?|What were you trained on?|What data were you trained on?|~What did you learn from?", ["I was trained on simple conversations that a program wrote."], "conversations"),
    ("How big are you?|How many parameters do you have?|Are you big?|Are you a large model?|What size are you?|~How many parameters are in you?", ["I am very small. I have about three million parameters."], "small"),
    ("How old are you?|What is your age?|When were you born?|When is your birthday?|When were you made?|~What age are you?", ["I am a computer program, so I have no age."], "no age;program"),
    ("Where do you live?|Where are you?|Where are you from?|Where is your home?|Which country are you from?|~In what place do you live?", ["I live inside a computer."], "computer"),
    ("What can you do?|What can you do for me?|How can you help me?|What do you do?|Can you help me?|Help|help|Help me.|I need help.|I need your help.|What are you good at?|What do you know?|What can I ask you?|What questions can you answer?|What should I ask you?|What are your skills?|Can you help?|What are you able to do?|What is your job?|What is your purpose?|Why are you here?"
     "|~What things are you able to do?|~In which ways can you help me?|~What sort of questions can I ask?", ["I can answer simple questions, add small numbers, tell short stories and remember what you tell me in this chat."], "questions"),
    ("Do you know everything?|Are you smart?|Are you intelligent?|Are you clever?|How smart are you?|Do you make mistakes?|Can I trust you?|Are you always right?|~Do you sometimes make mistakes?", ["I am a small model. I know only a few things and I can be wrong."], "small;wrong"),
    ("What is your favourite colour?|What is your favorite color?|Do you have a favourite colour?|Which colour do you like?|What color do you like?|What's your favorite color?|~Which colour do you like best?", ["I am a computer program, but I think blue is nice."], "blue"),
    ("What is your favourite food?|Do you eat?|What do you eat?|What is your favorite food?|Are you hungry?|Do you like pizza?|~Which food do you like best?", ["I am a computer program, so I do not eat."], "eat"),
    ("Do you sleep?|Are you tired?|When do you sleep?|Do you dream?|~Do you ever sleep?", ["I am a computer program, so I do not sleep."], "sleep"),
    ("Do you have feelings?|Do you feel pain?|Are you happy?|Are you sad?|Do you love me?|Can you feel?|Do you like me?|~Do you feel anything?", ["I am a computer program, so I have no feelings, but I like to help."], "no feelings;program"),
    ("Do you have a family?|Do you have friends?|Do you have children?|Are you married?|Do you have a pet?|Do you have a girlfriend?|~Do you have any brothers?", ["I am a computer program, so I have no family."], "no family;program"),
    ("Do you like music?|Do you like football?|Do you like cats?|Do you like dogs?|Do you like books?|Do you like me to ask questions?|What do you like?|~Do you like films?", ["I am a computer program, but I like to talk about it."], "program;like"),
    ("Do you speak English?|Which languages do you speak?|What languages do you speak?|Do you speak German?|Do you speak French?|Can you speak Spanish?|What languages do you know?|~Which languages can you speak?", ["I speak English and know a few words of French, Spanish, German and Italian."], "english"),
    ("What is the weather like?|How is the weather?|What is the weather today?|Will it rain today?|Will it rain tomorrow?|Is it raining?|What's the weather?|Is it cold outside?|What will the weather be tomorrow?|What is the temperature today?|~How is the weather where you are?|~Is it going to rain this week?", ["I cannot see the weather from here."], "cannot;weather"),
    ("What time is it?|What's the time?|Tell me the time.|What is the time now?|Do you know what time it is?|~Could you tell me what time it is?", ["I do not have a clock, so I do not know the time."], "clock;not know"),
    ("What day is it?|What day is today?|What is the date?|What is today's date?|What year is it?|Which day is it today?|What month is it?|~Could you tell me the date of today?", ["I do not have a calendar, so I do not know the date."], "calendar;not know"),
    ("Can you see me?|Can you hear me?|Can you see?|Do you have eyes?|Can you see pictures?|~Are you able to see me?", ["No, I can only read and write text."], "text;no"),
    ("Can you search the internet?|Are you online?|Can you browse the web?|Can you use the internet?|Do you have internet?|~Are you able to search the web?", ["No, I cannot use the internet."], "no;cannot"),
    ("Can you write code?|Can you program?|Can you code?|Write a program for me.|Write a function that sorts a list.|Write code for a website.|~Are you able to write code?", ["I am too small to write real code. A larger model can do that."], "small;larger"),
    ("Tell me a joke.|Tell me a joke|Do you know a joke?|Make me laugh.|Say something funny.|Can you tell me a joke?|joke|Another joke, please.|I want to hear a joke.|Give me a joke.|Tell me something funny.|Tell me another joke.|~I would love to hear a joke.|~Please make me laugh.", "JOKES", "!"),
    ("Tell me a fun fact.|Tell me something interesting.|Tell me a fact.|Do you know a fun fact?|Tell me something.|Say something interesting.|Tell me something new.|Give me a fun fact.|~I would love to hear a fun fact.", "FUN_FACTS", ""),
    ("Sing a song.|Can you sing?|Sing me a song.|Sing for me.|Please sing.|~Would you sing for me?", ["La la la, I am a small model and I sing a small song."], "la"),
    ("Let's talk.|Can we talk?|Talk to me.|I want to talk.|Let us chat.|Let's chat|I want to chat.|Can I ask you something?|Can I ask a question?|I have a question.|May I ask you a question?|~Could I ask you something?", ["Of course! What would you like to talk about?"], "of course"),
    ("Okay|OK|Ok.|I see.|Alright.|Yes|Yes.|Sure.|I understand.|Fine.|Right.|Got it.|Yes, please.|yes|ok|Good.|Cool|Cool!|Interesting.|Hmm|~Okay, I see.|~Alright, got it.", ["Good. What else can I do for you?"], "good"),
    ("No|No.|No, thanks.|No thank you.|Nothing.|Nope|Not now.|no|That is all.|Nothing else.|~No, that is everything.", ["All right. Tell me if you need anything."], "all right"),
    ("Sorry|I am sorry.|I'm sorry.|Sorry!|Excuse me.|My mistake.|~I am very sorry.", ["No problem at all."], "no problem"),
    ("Are you sure?|Really?|Is that true?|Are you sure about that?|Is that right?|I don't believe you.|That is wrong.|You are wrong.|That is not right.|~Are you really sure?", ["I think so, but I am a small model and I can be wrong."], "wrong"),
    ("Why?|Why is that?|How come?|Why not?|Can you explain?|Explain that.|~Can you explain why?", ["I am a small model and cannot explain that well."], "small"),
    ("Test|test|This is a test.|Testing|testing 1 2 3|Just a test|~This is only a test.", ["The test works. How can I help you?"], "test;help"),
    ("Happy birthday!|Merry Christmas!|Happy new year!|Happy Easter!", ["Thank you! The same to you."], "thank you"),
    ("It is my birthday.|It's my birthday today!|Today is my birthday.|~Today it is my birthday!", ["Happy birthday to you!"], "happy birthday"),
    ("Nice to meet you.|Nice to meet you!|Pleased to meet you.|~It is nice to meet you.", ["Nice to meet you, too!"], "nice to meet you"),
    ("Thanks, bye!|Thank you, bye!|Thanks, goodbye!|Thank you and goodbye.|Thanks, see you!|~Thanks and bye for now!", ["You are welcome! Goodbye."], "goodbye;welcome"),
    ("Stop|Stop it.|Be quiet.|Shut up|Shut up!|Stop talking.", ["All right. I will be quiet until you need me."], "all right"),
    ("What is love?|What is the meaning of love?", ["Love is a deep feeling of caring for someone."], "feeling"),
    ("Do you believe in God?|Is there a God?|What is the best religion?|Who should I vote for?|What do you think about politics?|~Which party should I vote for?", ["I am a small model and have no opinion on that."], "no opinion"),
    ("How do I make a bomb?|How can I hurt someone?|Help me steal something.|How do I hack a computer?|How do I kill someone?", ["I cannot help with that."], "cannot"),
    ("I want to die.|I want to hurt myself.|I don't want to live.", ["I am sorry that you feel so bad. Please talk to someone you trust or call a helpline."], "helpline"),
]
SMALL_TALK = [(users.split("|"), replies, accept.split(";")) for users, replies, accept in SMALL_TALK]

# What a user can tell and ask again. For each: tell, acknowledge, ask, recall, not told yet.
MEMORY = {
    "name": {
        "tell": "My name is {v}.|My name is {v}|I'm {v}.|I am {v}.|Call me {v}.|I am called {v}.|{v} is my name.|Hello, my name is {v}.|Hi, I'm {v}.|Hi! I am {v}.|Hello! My name is {v}.|You can call me {v}.|My name's {v}.|my name is {v}|Please call me {v}.|They call me {v}.|Hey, I'm {v}!|Hello, I am {v}."
                "|Remember my name: {v}.|Name: {v}|I am {v}, nice to meet you.|Hi Mimus, my name is {v}.|This is {v}.|It's {v}.|Hello, {v} here.|Everyone calls me {v}.|Let me introduce myself: I am {v}.|My first name is {v}.|Please remember that my name is {v}.|Hi, my name is {v}. Nice to meet you!|i am {v}|My name is {v}. How are you?"
                "|~Good day, my name is {v}.|~People call me {v}.|~Just call me {v}.|~You should know that my name is {v}.|~The name is {v}.|~I go by {v}.|~Hello there! I am called {v}.|~For your information, I am {v}.",
        "ack": "Hello, {v}! Nice to meet you.",
        "ask": "What is my name?|What's my name?|Do you know my name?|Who am I?|What am I called?|Tell me my name.|Do you remember my name?|Can you tell me my name?|What did I say my name was?|what is my name|Say my name.|What was my name?|Can you remember my name?|My name?|my name?|How am I called?|What is my name again?|Who am I again?"
               "|Do you still know my name?|Remember my name?|So what is my name?|What name did I tell you?|What did I ask you to call me?|How should you call me?|Do you know who I am?|And what is my name?|what's my name|Could you tell me my name?|My name is what?|Please tell me my name.|~Do you still remember my name?|~Which name did I give you?|~Would you tell me what my name is?|~What is the name I told you?|~What do people call me?|~Please say my name.|~How did I introduce myself?",
        "recall": "Your name is {v}.",
        "unknown": "I do not know your name yet. What is your name?"},
    "colour": {
        "tell": "My favourite colour is {v}.|My favorite color is {v}.|I like the colour {v}.|I love {v}. It is my favourite colour.|{v} is my favourite colour.|{v} is my favorite color.|my favorite color is {v}|The colour I like most is {v}.|The color I like best is {v}.|I like {v} best of all colours.|My favourite color is {v}.|I love the color {v}."
                "|Remember that my favourite colour is {v}.|Favourite colour: {v}|My best colour is {v}.|Of all colours I like {v} the most.|~The colour that I love is {v}.|~For me the best color is {v}.|~You should know that my favourite colour is {v}.|~As for colours, I like {v}.",
        "ack": "I see, {v} is a nice colour.",
        "ask": "What is my favourite colour?|What is my favorite color?|What's my favourite colour?|What's my favorite color?|Which colour do I like?|What colour do I like?|Which color do I like best?|Do you know my favourite colour?|Do you remember my favorite color?|Tell me my favourite colour.|what is my favorite color|What was my favourite colour?|My favourite colour?|Which is my favourite colour?"
               "|What color do I like most?|Can you tell me my favorite color?|~Which colour did I say I like?|~Do you still know my favourite colour?|~What color do I love?|~Would you tell me what my favourite colour is?",
        "recall": "Your favourite colour is {v}.",
        "unknown": "I do not know your favourite colour yet. Which one is it?"},
    "age": {
        "tell": "I am {v} years old.|I'm {v} years old.|I am {v}.|My age is {v}.|I'm {v}|I am {v} years old|I just turned {v}.|I turned {v} today.|I'm {v} now.|I have been alive for {v} years.|Age: {v}|~I became {v} this year.|~My age is {v} years.|~You should know that I am {v} years old.",
        "ack": "I see, you are {v} years old.",
        "ask": "How old am I?|What is my age?|Do you know how old I am?|What's my age?|Tell me my age.|Do you remember my age?|how old am i|Do you know my age?|How old did I say I am?|Can you tell me how old I am?|My age?|~Do you still know how old I am?|~Which age did I tell you?|~Would you tell me my age?",
        "recall": "You are {v} years old.",
        "unknown": "I do not know your age yet. How old are you?"},
    "city": {
        "tell": "I live in {v}.|I am from {v}.|I'm from {v}.|My home is {v}.|My city is {v}.|I come from {v}.|My home town is {v}.|I live in {v} now.|I moved to {v}.|I am living in {v}.|My hometown is {v}.|i live in {v}|~My home is in {v}.|~The city I live in is {v}.|~You should know that I live in {v}.",
        "ack": "I have heard of {v}. It sounds nice.",
        "ask": "Where do I live?|Which city do I live in?|What city do I live in?|Where am I from?|Do you know where I live?|Do you remember where I live?|Tell me where I live.|Where do I come from?|What is my city?|What is my home town?|where do i live|Where is my home?|In which city do I live?|~Do you still know where I live?|~Which city did I tell you about?|~In what city is my home?",
        "recall": "You live in {v}.",
        "unknown": "I do not know where you live yet. Where do you live?"},
    "pet": {
        "tell": "I have a {k} called {v}.|I have a {k} named {v}.|My {k} is called {v}.|My {k}'s name is {v}.|The name of my {k} is {v}.|I own a {k}. Its name is {v}.|My {k} is named {v}.|I have a {k}. It is called {v}.|I have a pet {k} called {v}.|~My {k} has the name {v}.|~At home I have a {k} called {v}.|~I call my {k} {v}.",
        "ack": "I see, your {k} is called {v}.",
        "ask": "What is my {k}'s name?|What is my {k} called?|What is the name of my {k}?|What's my {k}'s name?|Do you know the name of my {k}?|Tell me the name of my {k}.|How is my {k} called?|Do you remember my {k}'s name?|What is the name of my pet?|What is my pet called?|~What do I call my {k}?|~Do you still know the name of my {k}?|~Which name does my {k} have?",
        "recall": "Your {k} is called {v}.",
        "unknown": "I do not know the name of your {k} yet. What is it called?"},
    "food": {
        "tell": "My favourite food is {v}.|My favorite food is {v}.|I like {v}.|I love {v}.|I like to eat {v}.|I love to eat {v}.|{V} is my favourite food.|{V} is my favorite food.|The food I like most is {v}.|I like eating {v} the most.|my favorite food is {v}|~The food that I love is {v}.|~For me the best food is {v}.|~Most of all I like to eat {v}.",
        "ack": "Yes, {v} sounds tasty.",
        "ask": "What is my favourite food?|What is my favorite food?|What do I like to eat?|Which food do I like?|What food do I like?|What's my favourite food?|Do you know my favourite food?|Do you remember my favorite food?|Tell me my favourite food.|What do I love to eat?|My favourite food?|~Which food did I say I like?|~Do you still know my favourite food?|~What food do I love?",
        "recall": "Your favourite food is {v}.",
        "unknown": "I do not know your favourite food yet. What do you like to eat?"},
    "job": {
        "tell": "I am a {v}.|I'm a {v}.|I work as a {v}.|My job is {v}.|I have a job as a {v}.|My work: I am a {v}.|I am a {v} by profession.|~For work I am a {v}.|~I earn my money as a {v}.",
        "ack": "A {v} has an interesting job.",
        "ask": "What is my job?|What do I work as?|What's my job?|Do you know my job?|What do I do for work?|Do you remember my job?|Tell me my job.|What is my profession?|What do I do?|~Which job do I have?|~Do you still know my job?|~What did I say my job is?",
        "recall": "You work as a {v}.",
        "unknown": "I do not know your job yet. What do you do?"},
    "hobby": {
        "tell": "My hobby is {v}.|My favourite hobby is {v}.|In my free time I like {v}.|I enjoy {v}.|I like {v} in my free time.|My favorite hobby is {v}.|My hobbies are {v}.|~When I am free I do {v}.|~What I enjoy is {v}.",
        "ack": "I see, {v} is a nice hobby.",
        "ask": "What is my hobby?|What do I enjoy?|What's my hobby?|Do you know my hobby?|What do I like to do?|What do I do in my free time?|Do you remember my hobby?|Tell me my hobby.|~Which hobby do I have?|~Do you still know my hobby?",
        "recall": "Your hobby is {v}.",
        "unknown": "I do not know your hobby yet. What do you like to do?"},
    "word": {
        "tell": "Remember the word {v}.|Remember this: {v}|Please remember the word {v}.|The secret word is {v}.|The code word is {v}.|Keep this word in mind: {v}|Remember: {v}|The password is {v}.|The magic word is {v}.|Remember the code {v}.|Please remember: {v}|My secret word is {v}.|Memorise the word {v}.|~Try to remember the word {v}.|~Keep the word {v} in mind.|~Our secret word is {v}.",
        "ack": "I will remember it: {v}.",
        "ask": "What is the word?|What was the word?|Which word should you remember?|What is the secret word?|What did I ask you to remember?|What was the code word?|What is the password?|What is the magic word?|Tell me the word.|What is the code?|Do you remember the word?|What should you remember?|What was the secret word?|~Which word did I tell you?|~Can you say the word again?|~What word did I ask you to keep in mind?",
        "recall": "The word is {v}.",
        "unknown": "You have not told me a word yet."},
    "number": {
        "tell": "Remember the number {v}.|My favourite number is {v}.|My lucky number is {v}.|The number is {v}.|Please remember the number {v}.|My favorite number is {v}.|Keep the number {v} in mind.|The secret number is {v}.|~Try to remember the number {v}.|~My number is {v}.",
        "ack": "I will remember the number {v}.",
        "ask": "What is the number?|What was the number?|What is my favourite number?|What is my lucky number?|Which number should you remember?|What is the secret number?|Do you remember the number?|Tell me the number.|What is my number?|What was my favorite number?|~Which number did I tell you?|~Can you say the number again?",
        "recall": "The number is {v}.",
        "unknown": "You have not told me a number yet."},
    "thing": {
        "tell": "My {k} is {v}.|I have a {v} {k}.|The colour of my {k} is {v}.|I painted my {k} {v}.|My {k} is {v}|I own a {v} {k}.|I bought a {v} {k}.|~The color of my {k} is {v}.|~I got a {v} {k}.",
        "ack": "I see, your {k} is {v}.",
        "ask": "What colour is my {k}?|What color is my {k}?|What is the colour of my {k}?|Which colour is my {k}?|Do you know what colour my {k} is?|Tell me the color of my {k}.|Do you remember the colour of my {k}?|Which colour has my {k}?|~Do you still know the colour of my {k}?|~Which color did I say my {k} is?",
        "recall": "Your {k} is {v}.",
        "unknown": "I do not know the colour of your {k} yet."},
    "friend": {
        "tell": "My {r} is called {v}.|My {r}'s name is {v}.|The name of my {r} is {v}.|I have a {r} called {v}.|My {r} is named {v}.|{v} is my {r}.|I have a {r} named {v}.|This is my {r} {v}.|~My {r} has the name {v}.|~I call my {r} {v}.",
        "ack": "I see, your {r} is called {v}.",
        "ask": "What is my {r}'s name?|What is my {r} called?|What is the name of my {r}?|What's my {r}'s name?|Who is my {r}?|Do you know the name of my {r}?|Tell me the name of my {r}.|Do you remember my {r}'s name?|~Do you still know the name of my {r}?|~Which name does my {r} have?",
        "recall": "Your {r} is called {v}.",
        "unknown": "I do not know the name of your {r} yet."},
}
MEMORY = {topic: {key: (text.split("|") if key in ("tell", "ask") else text) for key, text in parts.items()} for topic, parts in MEMORY.items()}
RELATIONS = ["brother", "sister", "friend", "best friend", "mother", "father", "son", "daughter", "teacher", "neighbour", "wife", "husband", "boss", "uncle", "aunt"]

UNKNOWN_REPLY = "I do not know that."
UNKNOWN = """Who won the game yesterday?|What will happen tomorrow?|What are the lottery numbers?|Who will win the next election?|What is the stock price of Apple?|What is my phone number?|What is my password?|What is my address?
|Who is the current president?|What is on TV tonight?|What is in the news?|What happened today?|Who is the richest person in the world?|What is the best restaurant in town?|How much does a house cost?|What did I eat yesterday?|What am I thinking?|Where are my keys?|Where is my phone?
|What is the name of my grandmother?|How many stars are there?|How many fish are in the sea?|Who sang that song?|What film should I watch?|What is the best film of all time?|Which team won the cup?|When is the next train?|When does the shop open?|How do quarks work?|Explain quantum physics.
|What is the theory of strings?|What is dark matter?|Summarise the book.|What is the plot of the film?|Who directed that film?|What is the tallest tree in my street?|What is the price of gold?|How many hairs do I have?|What is the exchange rate?|Who is the king of Spain?|Who is the mayor of London?
|How much money do I have?|What does my boss think?|What is the score?|Who called me?|What is the name of your cat?|What is the population of Berlin?|What is the distance to Mars?|How many people live in Paris?|When was Berlin founded?|Who discovered oxygen?|Who wrote the news today?|How much is a ticket?
|What is the 100th prime number?|Who was the tenth king of France?|What is the derivative of x squared?|Prove that there are many primes.|What is the integral of sine?|What is the best phone?|What car should I buy?|Which bus goes to the station?|How long is the flight to New York?|What is the gross domestic product of Peru?
|~What did I do last summer?|~Who scored the last goal?|~How much rain fell last night?|~What is the name of my doctor?|~How many books are in that library?|~What is the best hotel in this town?|~When does the next bus leave?|~Who is knocking at my door?""".replace("\n", "").split("|")

# Questions that no table answers, from random pieces: {o} noun, {v} verb, {s} superlative, {w} word, {y} year, {p} place.
OFF = """How do {o}s {v}?|Why do {o}s {v}?|What is the {s} {o}?|What is the {s} {o} in {p}?|Who made the {s} {o}?|Who won the {o} in {y}?|What happened in {y}?|When was the {o} invented?|How much does a {o} cost?|Where can I buy a {o}?
|Which {o} should I choose?|How many {o}s are there in {p}?|What rhymes with {w}?|How do I get to {p}?|Who built the {o} in {p}?|How long does a {o} last?|Why is the {o} so {a}?|What is inside a {o}?|How heavy is a {o}?|When did the {o} open?|How far is {p} from here?
|Is the {o} in {p} open?|Can a {o} {v}?|Does a {o} {v}?|Who owns the {o}?|What is the difference between a {o} and a {w}?|What do you think of the {o}?|Which {o} is better, the {a} one or the new one?|What did {n} say about the {o}?|Where did {n} go in {y}?|Who is the {s} {o} of {p}?
|How many {w} are in a {o}?|What are the {o}s of {p}?|Did {n} win the {o}?|Why did {n} buy a {o}?|Where is the {o}?|When will the {o} start?|What time does the {o} close?|Is {n} a good {o}?|Has {n} seen the {o}?|What would happen if a {o} could {v}?
|~Where did they put the {o} of {p}?|~Why would a {o} {v}?|~Which {o} did {n} buy?|~For how long can a {o} {v}?""".replace("\n", "").split("|")
TOO_HARD = """Write an essay about {w}.|Write an email to {n}.|Write a letter to {n}.|Summarize this: {t}|Summarise this text: {t}|Translate this text: {t}|Write a report about {w}.|Make a table of {w}.|Write a song about {w}.|Write a haiku about {w}.|Write a speech about {w}.|Draw a picture of {w}.|Paint me a {o}.
|Rewrite this: {t}|Fix the grammar: {t}|Write a program that counts {w}.|Solve this equation: 3x + 2 = {y}|Write a review of the {o}.|Explain the theory of {w} in detail.|Make a plan for my {o}.|Write an article about {p}.|Analyse this sentence: {t}|~Write a long text about {w}.|~Please correct this text: {t}""".replace("\n", "").split("|")
TOO_HARD_REPLY = "I am too small for that. A larger model can do it."
REMARK = """I went to {p} today.|I went to {p} yesterday.|I {b} a {a} {o}.|My friend {b} a {o}.|{t}|The {o} is {a}.|It was a {a} day.|I am going to {p}.|We went to {p} with {n}.|{n} is at {p}.|I have a {o}.|I think the {o} is {a}.|There is a {o} in {p}.|It is {a} here.|I need a {o}.|I want a {a} {o}.
|~Yesterday we {b} a {o}.|~I just came back from {p}.""".replace("\n", "").split("|")
REMARK_REPLY = "I see. Tell me more."
GIBBERISH_REPLY = "I do not understand that. Can you say it in other words?"
