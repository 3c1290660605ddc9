// Quizzes to begin with; a host may play any other set by the same events (docs/quiz.md).
const drums = {
  title: 'Hills and drums', about: 'Five questions about Rwanda, one of each kind',
  questions: [
    { type: 'single', text: 'What does “ingoma” mean in Kinyarwanda?', options: ['Hill', 'Drum', 'River', 'Market'], correct: 1, explanation: 'Ingoma is the drum, and in older speech a reign, too.' },
    { type: 'trueFalse', text: 'Kigali lies higher than 1,400 metres.', correct: true, explanation: 'Most of the city lies between 1,400 and 1,600 metres.' },
    { type: 'multiple', text: 'Which of these countries border on Rwanda?', options: ['Uganda', 'Kenya', 'Burundi', 'Zambia'], correct: [0, 2], explanation: 'With Tanzania and the Democratic Republic of the Congo there are four.' },
    { type: 'order', text: 'From the smallest country to the largest', options: ['Tanzania', 'Rwanda', 'Uganda', 'Burundi'], correct: [1, 3, 2, 0] },
    { type: 'number', text: 'In which year did Rwanda become independent?', correct: 1962, tolerance: 1, explanation: 'On 1 July 1962.' },
  ],
};
const wire = {
  title: 'On the wire', about: 'Four questions for people who read packets',
  questions: [
    { type: 'single', text: 'Which HTTP status switches a connection to WebSocket?', options: ['100', '101', '200', '426'], correct: 1, explanation: '101 Switching Protocols.' },
    { type: 'single', text: 'What does an Engine.IO packet that begins with 2 say?', options: ['open', 'close', 'ping', 'message'], correct: 2, explanation: '0 open, 1 close, 2 ping, 3 pong, 4 message, 5 upgrade, 6 noop.' },
    { type: 'trueFalse', text: 'This page needs sticky sessions.', correct: false, explanation: 'Any node takes any request and hands it to the owner of the session.' },
    { type: 'poll', text: 'Where do you keep state?', options: ['In a Map', 'In Redis', 'In a database', 'Nowhere'] },
  ],
};
const quick = {
  title: 'Warm-up', about: 'Two easy ones, to see how it works',
  questions: [
    { type: 'single', text: 'Which shape has three corners?', options: ['The red one', 'The blue one', 'The yellow one', 'The green one'], correct: 0 },
    { type: 'trueFalse', text: 'The node that serves you may die in the middle of a question.', correct: true, explanation: 'Try it: seat, score and question stay.' },
  ],
};

export const QUIZZES = [drums, wire, quick];
